"""The requests that read and write the items of a table of DynamoDB."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kindred.errors import NoWarehouseError, StoreError
from kindred.stores.base import Row
from kindred.stores.dynamodb.client import Client
from kindred.stores.dynamodb.items import KEYS, STATE

MAX_ITEMS_READ = 100
"""DynamoDB's limit for one request."""

MAX_TRIES_TO_READ = 5
"""Tries in a row that achieve nothing. With their pauses they take two seconds, because somebody waits."""

MAX_TRIES_TO_WRITE = 12
"""The same for writing: half a minute, in which DynamoDB may increase its capacity."""

CREATION_SECONDS = 120

CREATION_POLL_SECONDS = 0.2


class Table:
    """A table. Threads may share it; items are dicts of str, int and bytes.

    Every method raises NoWarehouseError if the table does not exist, and StoreError if a request fails.

    Attributes
    ----------
    name
        The name of the table.
    quoted_url
        Its URL, quoted for a shell.

    """

    def __init__(self, client: Client):
        """Take what sends the requests; nothing is opened yet."""
        self.name = client.name
        self.quoted_url = client.quoted_url
        self._client = client

    def close(self) -> None:
        """Close the connections; the next request opens them again."""
        self._client.close()

    def create(self) -> None:
        """Make the table if it is missing, and wait until it can be written; StoreError if it has other keys."""
        table = self._description()
        if table is None:
            table = self._create()
        types = {column["AttributeName"]: column["AttributeType"] for column in table["AttributeDefinitions"]}
        keys = {key["AttributeName"]: (key["KeyType"], types[key["AttributeName"]]) for key in table["KeySchema"]}
        if keys != KEYS:
            raise self._client.other_keys()
        deadline = time.monotonic() + CREATION_SECONDS
        # AWS may not know a new table for a moment.
        while table is None or table["TableStatus"] == "CREATING":
            if time.monotonic() > deadline:
                raise StoreError(f"The table {self.name} is not ready after {CREATION_SECONDS} s: publish again later.")
            time.sleep(CREATION_POLL_SECONDS)
            table = self._description()

    def get(self, key: Row, *, is_consistent: bool = False) -> Row | None:
        """Return an item, None if it does not exist; only a consistent read surely shows the latest writes."""
        answer = self._client.request("get_item", TableName=self.name, Key=_typed(key), ConsistentRead=is_consistent)
        return _untyped(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: list[Row], attributes: Iterable[str], *, is_consistent: bool = False) -> list[Row]:
        """Return some attributes of the items that exist, in any order."""
        found: list[Row] = []
        projection = _projection(attributes)

        def get(wanted: list[Row]) -> list[Row]:
            request = {"Keys": wanted, "ConsistentRead": is_consistent, **projection}
            answer = self._client.request("batch_get_item", RequestItems={self.name: request})
            found.extend(_untyped(item) for item in answer["Responses"].get(self.name, ()))
            left: list[Row] = answer["UnprocessedKeys"].get(self.name, {}).get("Keys", [])
            return left

        for start in range(0, len(keys), MAX_ITEMS_READ):
            self._client.repeat(get, [_typed(key) for key in keys[start : start + MAX_ITEMS_READ]], MAX_TRIES_TO_READ)
        return found

    def query(
        self,
        pk: str,
        after: str | None = None,
        attributes: Iterable[str] | None = None,
        items_at_a_time: int | None = None,
    ) -> Iterator[Row]:
        """Yield the items of a pk, all or those with a greater sk than `after`, by rising sk and consistent reads."""
        condition, values = "pk = :pk", {":pk": pk}
        if after is not None:
            condition, values = f"{condition} and sk > :after", {**values, ":after": after}
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": _typed(values),
            "ConsistentRead": True,
        }
        if attributes:
            request |= _projection(attributes)
        if items_at_a_time:
            request["Limit"] = items_at_a_time
        while True:
            answer = self._client.request("query", **request)
            yield from map(_untyped, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def update_state(self, changes: Mapping[str, str | int | bytes | None], *, publisher: str | None = None) -> Row:
        """Set attributes of the state, or remove those that are None, all at once; return the whole state.

        Raises
        ------
        ChangedError
            If `publisher` is given and the state names another one.

        """
        names = {f"#{name}": name for name in changes}
        values: dict[str, str | int | bytes] = {
            f":{name}": value for name, value in changes.items() if value is not None
        }
        sets = ", ".join(f"#{name} = :{name}" for name, value in changes.items() if value is not None)
        removals = ", ".join(f"#{name}" for name, value in changes.items() if value is None)
        request = {"UpdateExpression": (f"SET {sets} " if sets else "") + (f"REMOVE {removals}" if removals else "")}
        if publisher is not None:
            names["#publisher"] = "publisher"
            values[":held"] = publisher
            request["ConditionExpression"] = "#publisher = :held"
        answer = self._client.request(
            "update_item",
            TableName=self.name,
            Key=_typed(STATE),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=_typed(values),
            ReturnValues="ALL_NEW",
            **request,
        )
        return _untyped(answer["Attributes"])

    def put(self, items: list[Row]) -> None:
        """Write one of `batches` of items."""
        self._write([{"PutRequest": {"Item": _typed(item)}} for item in items])

    def delete(self, keys: list[Row]) -> None:
        """Remove the items of one of `batches` of keys."""
        self._write([{"DeleteRequest": {"Key": _typed(key)}} for key in keys])

    def _write(self, requests: list[Row]) -> None:
        def write(requests: list[Row]) -> list[Row]:
            answer = self._client.request("batch_write_item", RequestItems={self.name: requests})
            left: list[Row] = answer["UnprocessedItems"].get(self.name, [])
            return left

        self._client.repeat(write, requests, MAX_TRIES_TO_WRITE)

    def _create(self) -> dict[str, Any]:
        answer = self._client.request(
            "create_table",
            TableName=self.name,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, (kind, _) in KEYS.items()],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": type_} for name, (_, type_) in KEYS.items()],
            BillingMode="PAY_PER_REQUEST",
        )
        table: dict[str, Any] = answer["TableDescription"]
        return table

    def _description(self) -> dict[str, Any] | None:
        try:
            table: dict[str, Any] = self._client.request("describe_table", TableName=self.name)["Table"]
        except NoWarehouseError:
            return None
        return table


def _typed(values: Mapping[str, str | int | bytes]) -> dict[str, dict[str, str | bytes]]:
    """Return values in DynamoDB's form, each with its type."""
    return {
        name: {"N": str(value)} if isinstance(value, int) else {"S" if isinstance(value, str) else "B": value}
        for name, value in values.items()
    }


def _untyped(item: Mapping[str, dict[str, Any]]) -> Row:
    """Return the values of an item."""
    return {
        name: int(value) if type_ == "N" else value
        for name, attribute in item.items()
        for type_, value in attribute.items()
    }


def _projection(attributes: Iterable[str]) -> dict[str, Any]:
    """Return the part of a request that selects attributes; # keeps their names apart from reserved words."""
    names = {f"#{name}": name for name in attributes}
    return {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
