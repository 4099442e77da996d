"""A table of DynamoDB: the keys of what Kindred puts there, the few requests it makes, and what it says of failures.

A table has the partition key pk (text) and the sort key sk (number). JSON texts are compressed by zlib, since AWS
charges by the kilobyte:

=====================  ==================  ==========================================================================
pk                     sk                  other attributes
=====================  ==================  ==========================================================================
current                0                   version, edition (JSON of Edition), first_user: what readers get;
                                           publisher (the run that publishes at the moment), publishing and
                                           last_handle (the version that it writes, and how far), removing (the
                                           version before the current one, until all of it is removed)
<version>#<handle>     0                   user, similar, features, courses (JSON of what readers return)
<version>#users        last handle of it   users (JSON of consecutive rows of users)
<version>#cluster#<n>  last handle of it   the same of one cluster, -1 for users in none
<version>#space        0, 1, ...           content (a part of the bytes of the profile space)
=====================  ==================  ==========================================================================
"""

from __future__ import annotations

import random
import shlex
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Lock
from urllib.parse import urlsplit

from kindred.errors import NoWarehouseError, StoreError, needed_extra

with needed_extra("aws"):
    from boto3.session import Session
    from botocore import exceptions
    from botocore.client import BaseClient
    from botocore.config import Config


KEYS = {"pk": ("HASH", "S"), "sk": ("RANGE", "N")}

STATE = {"pk": "current", "sk": 0}
"""The key of the only item that changes: what readers get, and what is being written and removed."""

PAGE_USERS = 100
"""Users on a page that lists them: some 20 KB."""

MOST_ITEMS_WRITTEN = 25

MOST_ITEMS_READ = 100
"""What DynamoDB takes in one request."""

MOST_BYTES_WRITTEN = 4 << 20
"""Bytes of items in one request: DynamoDB takes 16 MB, but a slow line must carry it within READ_TIMEOUT_SECONDS."""

MOST_ITEM_BYTES = 400 << 10
"""What DynamoDB takes in one item."""

CONNECT_TIMEOUT_SECONDS = 2

READ_TIMEOUT_SECONDS = 3

MOST_TRIES_TO_WRITE = 12

MOST_TRIES_TO_READ = 5
"""Tries in a row by which nothing is done. With the pauses they take half a minute, in which DynamoDB may make room,
or two seconds, since somebody waits."""

FIRST_PAUSE_SECONDS = 0.05

LONGEST_PAUSE_SECONDS = 10

MOST_CONNECTIONS = 50
"""More than the threads of a web server."""

CREATION_SECONDS = 120

CREATION_LOOK_SECONDS = 0.2

MOST_MESSAGE_CHARACTERS = 200
"""Of what DynamoDB says itself, which may quote the request."""

THROTTLED = {"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"}

UNKNOWN_CREDENTIALS = {
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
}


class ThrottledError(StoreError):
    """DynamoDB is asked for more than it gives at the moment."""


class ChangedError(StoreError):
    """The state is no longer as an update wants it."""


def user_key(version: str, user_handle: int) -> dict:
    """Return the key of a user."""
    return {"pk": f"{version}#{user_handle}", "sk": 0}


def listing_key(version: str, cluster_id: int | None = None) -> str:
    """Return the pk of the pages that list users, of one cluster or all."""
    return f"{version}#users" if cluster_id is None else f"{version}#cluster#{cluster_id}"


def space_key(version: str) -> str:
    """Return the pk of the parts of the profile space."""
    return f"{version}#space"


def packed(text: str) -> bytes:
    """Compress a text, fast rather than well: higher levels save a tenth."""
    return zlib.compress(text.encode(), 1)


def unpacked(content: bytes) -> str:
    """Return the text that `packed` compressed."""
    return zlib.decompress(content).decode()


def item_bytes(item: Mapping[str, str | int | bytes]) -> int:
    """Return the size of an item about as DynamoDB counts it."""
    return sum(len(name) + (21 if isinstance(value, int) else len(value)) for name, value in item.items())


class Table:
    """A table by its name. Threads may share it; items are dicts of str, int and bytes.

    Everything raises NoWarehouseError if there is no such table, and StoreError if it cannot be asked.
    """

    def __init__(self, name: str, region: str | None, endpoint: str | None, url: str):
        """Take where the table is, by default what boto3 is set to, and the URL that says so; nothing is opened yet."""
        self.name = name
        self._region = region
        self._endpoint = endpoint
        self.quoted_url = shlex.quote(url)  # a shell would take & and ? for its own
        self._opened: BaseClient | None = None
        self._lock = Lock()

    def close(self) -> None:
        """Close the connections; the next request opens them again."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
            self._opened = None

    def create(self) -> None:
        """Make the table if it is missing, and wait until it can be written; StoreError if it has other keys."""
        table = (
            self._described()
            or self._ask(
                "create_table",
                TableName=self.name,
                KeySchema=[{"AttributeName": name, "KeyType": kind} for name, (kind, _) in KEYS.items()],
                AttributeDefinitions=[
                    {"AttributeName": name, "AttributeType": type_} for name, (_, type_) in KEYS.items()
                ],
                BillingMode="PAY_PER_REQUEST",
            )["TableDescription"]
        )
        types = {column["AttributeName"]: column["AttributeType"] for column in table["AttributeDefinitions"]}
        keys = {key["AttributeName"]: (key["KeyType"], types[key["AttributeName"]]) for key in table["KeySchema"]}
        if keys != KEYS:
            raise self._other_keys()
        deadline = time.monotonic() + CREATION_SECONDS
        # For a moment, AWS may not know the table that it has just made.
        while table is None or table["TableStatus"] == "CREATING":
            if time.monotonic() > deadline:
                raise StoreError(f"The table {self.name} is not ready after {CREATION_SECONDS} s: publish again later.")
            time.sleep(CREATION_LOOK_SECONDS)
            table = self._described()

    def get(self, key: dict, *, is_consistent: bool = False) -> dict | None:
        """Return an item, None if there is none; what was written a moment ago shows only if is_consistent."""
        answer = self._ask("get_item", TableName=self.name, Key=_typed(key), ConsistentRead=is_consistent)
        return _untyped(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: list[dict], attributes: Iterable[str], *, is_consistent: bool = False) -> list[dict]:
        """Return those items that there are, in any order, with some of their attributes."""
        found = []
        projection = _projection(attributes)

        def get(wanted: list[dict]) -> list[dict]:
            request = {"Keys": wanted, "ConsistentRead": is_consistent, **projection}
            answer = self._ask("batch_get_item", RequestItems={self.name: request})
            found.extend(_untyped(item) for item in answer["Responses"].get(self.name, ()))
            return answer["UnprocessedKeys"].get(self.name, {}).get("Keys", [])

        for start in range(0, len(keys), MOST_ITEMS_READ):
            self._until_done(get, [_typed(key) for key in keys[start : start + MOST_ITEMS_READ]], MOST_TRIES_TO_READ)
        return found

    def query(
        self, pk: str, after: int = -1, attributes: Iterable[str] | None = None, items_at_a_time: int | None = None
    ) -> Iterator[dict]:
        """Return the items of a pk that come after an sk, in that order, also those written a moment ago."""
        request = {
            "TableName": self.name,
            "KeyConditionExpression": "pk = :pk and sk > :after",
            "ExpressionAttributeValues": _typed({":pk": pk, ":after": after}),
            "ConsistentRead": True,
        }
        if attributes:
            request |= _projection(attributes)
        if items_at_a_time:
            request["Limit"] = items_at_a_time
        while True:
            answer = self._ask("query", **request)
            yield from map(_untyped, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def update_state(self, changes: Mapping[str, str | int | bytes | None], *, publisher: str | None = None) -> dict:
        """Set attributes of the state, or remove those that are to be None, all at once; return all of it.

        Raises
        ------
        ChangedError
            If a publisher is given and it is another now.

        """
        names = {f"#{name}": name for name in changes}
        values = {f":{name}": value for name, value in changes.items() if value is not None}
        sets = ", ".join(f"#{name} = :{name}" for name, value in changes.items() if value is not None)
        removals = ", ".join(f"#{name}" for name, value in changes.items() if value is None)
        request = {"UpdateExpression": (f"SET {sets} " if sets else "") + (f"REMOVE {removals}" if removals else "")}
        if publisher is not None:
            names["#publisher"] = "publisher"
            values[":held"] = publisher
            request["ConditionExpression"] = "#publisher = :held"
        answer = self._ask(
            "update_item",
            TableName=self.name,
            Key=_typed(STATE),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=_typed(values),
            ReturnValues="ALL_NEW",
            **request,
        )
        return _untyped(answer["Attributes"])

    def put(self, items: list[dict]) -> None:
        """Write items: as many and as large as `batches` gives."""
        self._write([{"PutRequest": {"Item": _typed(item)}} for item in items])

    def delete(self, keys: list[dict]) -> None:
        """Remove items: as many as `batches` gives."""
        self._write([{"DeleteRequest": {"Key": _typed(key)}} for key in keys])

    def _write(self, requests: list[dict]) -> None:
        def write(requests: list[dict]) -> list[dict]:
            return self._ask("batch_write_item", RequestItems={self.name: requests})["UnprocessedItems"].get(
                self.name, []
            )

        self._until_done(write, requests, MOST_TRIES_TO_WRITE)

    def _until_done(self, ask: Callable[[list], list], wanted: list, most_tries: int) -> None:
        """Ask for all that is wanted, and again for what the answer leaves over, with longer and longer pauses."""
        tries = 0
        while wanted:
            try:
                left = ask(wanted)
            except ThrottledError:
                left = wanted
            tries = tries + 1 if len(left) == len(wanted) else 1
            if tries > most_tries:
                raise self._throttled()
            wanted = left
            if wanted:
                # Any time up to the longest, so that those who were refused together do not come back together.
                time.sleep(random.uniform(0, min(FIRST_PAUSE_SECONDS * 2**tries, LONGEST_PAUSE_SECONDS)))

    def _described(self) -> dict | None:
        try:
            return self._ask("describe_table", TableName=self.name)["Table"]
        except NoWarehouseError:
            return None

    def _ask(self, operation: str, **request: object) -> dict:
        try:
            return getattr(self._client(), operation)(**request)
        except exceptions.ClientError as error:
            raise self._refusal(error) from error
        except exceptions.BotoCoreError as error:
            raise self._failure(error) from error

    def _client(self) -> BaseClient:
        with self._lock:
            if self._opened is None:
                try:
                    self._opened = Session().client(
                        "dynamodb",
                        region_name=self._region,
                        endpoint_url=self._endpoint,
                        config=Config(
                            connect_timeout=CONNECT_TIMEOUT_SECONDS,
                            read_timeout=READ_TIMEOUT_SECONDS,
                            max_pool_connections=MOST_CONNECTIONS,
                            retries={"mode": "standard", "total_max_attempts": 2},
                        ),
                    )
                except ValueError as error:
                    raise StoreError(f"AWS's client does not take its settings: {error}.") from error
            return self._opened

    def _refusal(self, error: exceptions.ClientError) -> StoreError:
        """Say what an answer of DynamoDB means."""
        code, operation = error.response["Error"]["Code"], error.operation_name
        if code == "ResourceNotFoundException":
            return NoWarehouseError(
                f"There is no table {self.name} in DynamoDB: `kindred publish {self.quoted_url}` makes it."
            )
        if code == "ConditionalCheckFailedException":
            return ChangedError(f"The table {self.name} was changed meanwhile.")
        if code in THROTTLED:
            return self._throttled()
        if code == "AccessDeniedException":
            return StoreError(
                f"AWS does not allow the credentials in use the operation dynamodb:{operation} on the table "
                f"{self.name}: let its policy allow it, or use others."
            )
        if code in UNKNOWN_CREDENTIALS:
            return StoreError(f"AWS does not know the credentials in use ({code}): renew them, or use others.")
        message = error.response["Error"].get("Message", "")[:MOST_MESSAGE_CHARACTERS]
        if code == "ValidationException" and "schema" in message:
            return self._other_keys()
        return StoreError(f"DynamoDB refuses {operation} on the table {self.name} with {code} ({message}).")

    def _failure(self, error: exceptions.BotoCoreError) -> StoreError:
        """Say why DynamoDB was not asked or did not answer."""
        if isinstance(error, exceptions.NoRegionError):
            return StoreError(
                f"No region is set: add ?region=... to dynamodb://{self.name}, or set AWS_DEFAULT_REGION."
            )
        if isinstance(error, exceptions.NoCredentialsError):
            return StoreError(
                "There are no credentials for AWS: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            )
        if isinstance(error, (exceptions.ConnectionError, exceptions.HTTPClientError)):
            endpoint = urlsplit(self._client().meta.endpoint_url)
            return StoreError(
                f"DynamoDB cannot be reached at {endpoint.hostname}{f':{endpoint.port}' if endpoint.port else ''} "
                f"({type(error).__name__}): look whether the endpoint is right and the network is up."
            )
        return StoreError(f"DynamoDB cannot be asked ({error}).")

    def _throttled(self) -> ThrottledError:
        return ThrottledError(
            f"DynamoDB is asked for more than it gives from the table {self.name} at the moment: try again later."
        )

    def _other_keys(self) -> StoreError:
        return StoreError(
            f"The table {self.name} is not one of Kindred's, whose keys are pk (text) and sk (number): name another."
        )


def batches(items: Iterable[dict]) -> Iterator[list[dict]]:
    """Divide items among requests to write."""
    batch, size = [], 0
    for item in items:
        bytes_ = item_bytes(item)
        if len(batch) == MOST_ITEMS_WRITTEN or (batch and size + bytes_ > MOST_BYTES_WRITTEN):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += bytes_
    if batch:
        yield batch


def _typed(values: Mapping[str, str | int | bytes]) -> dict[str, dict]:
    """Return values as DynamoDB takes them, each with its type."""
    return {
        name: {"N": str(value)} if isinstance(value, int) else {"S" if isinstance(value, str) else "B": value}
        for name, value in values.items()
    }


def _untyped(item: Mapping[str, dict]) -> dict:
    """Return the values of an item."""
    return {
        name: int(value) if type_ == "N" else value
        for name, attribute in item.items()
        for type_, value in attribute.items()
    }


def _projection(attributes: Iterable[str]) -> dict:
    """Return the part of a request that asks for some attributes only; # keeps them apart from reserved words."""
    names = {f"#{name}": name for name in attributes}
    return {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
