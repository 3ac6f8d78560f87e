"""Show a peer who calls: the headers and parameters that each kind of authentication adds."""

import base64
from datetime import datetime

from yarl import URL

from app.drivers.http.contract import ApiKey, Auth, Basic, Bearer, QueryKeys, Signing
from app.drivers.http.sign import signature


def authorised(
    auth: Auth, method: str, url: URL, headers: dict[str, str], body: bytes, *, now: datetime
) -> URL:
    """Add to `headers` what `auth` asks for; returns the URL, to which a key may be added.

    `ClientCredentials` ask for a token first, see `tokens.py`.
    """
    match auth:
        case Bearer():
            headers["Authorization"] = f"Bearer {auth.token.reveal()}"
        case Basic():
            headers["Authorization"] = basic(auth.username, auth.password.reveal())
        case ApiKey(in_query=True):
            return url.update_query({auth.name: auth.key.reveal()})
        case QueryKeys():
            return url.update_query({name: key.reveal() for name, key in auth.keys})
        case ApiKey():
            headers[auth.name] = auth.key.reveal()
        case Signing():
            timestamp = int(now.timestamp())
            headers |= signature(auth, method=method, url=url, body=body, timestamp=timestamp)
    return url


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
