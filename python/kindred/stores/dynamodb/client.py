"""The client that sends requests for one table to DynamoDB, retries them, and says why one failed."""

from __future__ import annotations

import random
import shlex
import time
from collections.abc import Callable
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from kindred.errors import NoWarehouseError, StoreError, needed_extra

with needed_extra("aws"):
    from boto3.session import Session
    from botocore import exceptions
    from botocore.client import BaseClient
    from botocore.config import Config

CONNECT_TIMEOUT_SECONDS = 2

READ_TIMEOUT_SECONDS = 3

FIRST_PAUSE_SECONDS = 0.05

MAX_PAUSE_SECONDS = 10

MAX_CONNECTIONS = 50
"""More than the threads of a web server."""

MAX_MESSAGE_CHARACTERS = 200
"""Length of DynamoDB's own message in an error: it may quote the request."""

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
    """DynamoDB gets more requests than it accepts at the moment."""


class ChangedError(StoreError):
    """The state is no longer the one that an update expects."""


class Client:
    """Sends requests for one table. Threads may share it.

    Attributes
    ----------
    name
        The name of the table.
    quoted_url
        The URL of the table, quoted for a shell, which would otherwise interpret & and ?.

    """

    def __init__(self, name: str, region: str | None, endpoint: str | None, url: str):
        """Take the table, its region and endpoint (by default boto3's), and its URL; nothing is opened yet."""
        self.name = name
        self.quoted_url = shlex.quote(url)
        self._region = region
        self._endpoint = endpoint
        self._opened: BaseClient | None = None
        self._lock = Lock()

    def close(self) -> None:
        """Close the connections; the next request opens them again."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
            self._opened = None

    def request(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Send a request and return its answer.

        Raises
        ------
        NoWarehouseError
            If the table does not exist.
        ThrottledError
            If DynamoDB gets too many requests.
        ChangedError
            If the condition of an update is not met.
        StoreError
            If DynamoDB refuses the request for another reason, or does not answer.

        """
        try:
            answer: dict[str, Any] = getattr(self._connection(), operation)(**parameters)
        except exceptions.ClientError as error:
            raise self._refusal(error) from error
        except exceptions.BotoCoreError as error:
            raise self._failure(error) from error
        return answer

    def repeat(self, request: Callable[[list[Any]], list[Any]], wanted: list[Any], max_tries: int) -> None:
        """Request everything wanted, then what each answer leaves over, with longer and longer pauses.

        Raises
        ------
        ThrottledError
            After max_tries tries in a row that achieve nothing.

        """
        tries = 0
        while wanted:
            try:
                left = request(wanted)
            except ThrottledError:
                left = wanted
            tries = tries + 1 if len(left) == len(wanted) else 1
            if tries > max_tries:
                raise self._throttled()
            wanted = left
            if wanted:
                # A random pause, so that clients that were refused together do not come back together.
                time.sleep(random.uniform(0, min(FIRST_PAUSE_SECONDS * 2**tries, MAX_PAUSE_SECONDS)))

    def other_keys(self) -> StoreError:
        """Return the error for a table whose keys are not those of Kindred."""
        return StoreError(
            f"The table {self.name} is not one of Kindred's, whose keys are pk and sk (both text): name another, or "
            "delete it if an older version of Kindred made it, with sk as a number."
        )

    def _connection(self) -> BaseClient:
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
                            max_pool_connections=MAX_CONNECTIONS,
                            retries={"mode": "standard", "total_max_attempts": 2},
                        ),
                    )
                except ValueError as error:
                    raise StoreError(f"AWS's client rejects its settings: {error}.") from error
            return self._opened

    def _refusal(self, error: exceptions.ClientError) -> StoreError:
        """Explain an error that DynamoDB answered with."""
        code, operation = error.response["Error"]["Code"], error.operation_name
        if code == "ResourceNotFoundException":
            return NoWarehouseError(
                f"There is no table {self.name} in DynamoDB: `kindred publish {self.quoted_url}` makes it."
            )
        if code == "ConditionalCheckFailedException":
            return ChangedError(f"Another program has changed the table {self.name}.")
        if code in THROTTLED:
            return self._throttled()
        if code == "AccessDeniedException":
            return StoreError(
                f"AWS does not allow the credentials in use the operation dynamodb:{operation} on the table "
                f"{self.name}: allow it in their policy, or use other credentials."
            )
        if code in UNKNOWN_CREDENTIALS:
            return StoreError(f"AWS does not know the credentials in use ({code}): renew them, or use others.")
        message = error.response["Error"].get("Message", "")[:MAX_MESSAGE_CHARACTERS]
        if code == "ValidationException" and "schema" in message:
            return self.other_keys()
        return StoreError(f"DynamoDB refuses {operation} on the table {self.name} with {code} ({message}).")

    def _failure(self, error: exceptions.BotoCoreError) -> StoreError:
        """Explain why a request was not sent or not answered."""
        if isinstance(error, exceptions.NoRegionError):
            return StoreError(
                f"No region is set: add ?region=... to dynamodb://{self.name}, or set AWS_DEFAULT_REGION."
            )
        if isinstance(error, exceptions.NoCredentialsError):
            return StoreError(
                "There are no credentials for AWS: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            )
        if isinstance(error, (exceptions.ConnectionError, exceptions.HTTPClientError)):
            endpoint = urlsplit(self._connection().meta.endpoint_url)
            return StoreError(
                f"DynamoDB cannot be reached at {endpoint.hostname}{f':{endpoint.port}' if endpoint.port else ''} "
                f"({type(error).__name__}): check the endpoint and the network."
            )
        return StoreError(f"The request to DynamoDB failed ({error}).")

    def _throttled(self) -> ThrottledError:
        return ThrottledError(f"DynamoDB gets too many requests for the table {self.name}: try again later.")
