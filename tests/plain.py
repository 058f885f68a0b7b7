"""httpx for servers without TLS: it loads the certificates of the whole world for each request, which takes 45 ms."""

import ssl
from functools import partial

import httpx

NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

Client = partial(httpx.Client, verify=NO_CERTIFICATES)
get = partial(httpx.get, verify=NO_CERTIFICATES)
head = partial(httpx.head, verify=NO_CERTIFICATES)
options = partial(httpx.options, verify=NO_CERTIFICATES)
post = partial(httpx.post, verify=NO_CERTIFICATES)
put = partial(httpx.put, verify=NO_CERTIFICATES)
request = partial(httpx.request, verify=NO_CERTIFICATES)
stream = partial(httpx.stream, verify=NO_CERTIFICATES)
