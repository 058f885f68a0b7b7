"""httpx for servers without TLS: it loads the certificates of the whole world for each request, which takes 45 ms."""

import ssl
from functools import partial

import httpx

NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# Of a machine that may be busy.
TIMEOUT_S = 30.0

Client = partial(httpx.Client, verify=NO_CERTIFICATES, timeout=TIMEOUT_S)
get = partial(httpx.get, verify=NO_CERTIFICATES, timeout=TIMEOUT_S)
head = partial(httpx.head, verify=NO_CERTIFICATES, timeout=TIMEOUT_S)
options = partial(httpx.options, verify=NO_CERTIFICATES, timeout=TIMEOUT_S)
post = partial(httpx.post, verify=NO_CERTIFICATES, timeout=TIMEOUT_S)
put = partial(httpx.put, verify=NO_CERTIFICATES, timeout=TIMEOUT_S)
request = partial(httpx.request, verify=NO_CERTIFICATES, timeout=TIMEOUT_S)
stream = partial(httpx.stream, verify=NO_CERTIFICATES, timeout=TIMEOUT_S)
