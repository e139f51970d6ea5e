"""One-time codes by the clock (RFC 6238): HMAC-SHA-1, 30 seconds, 6 digits, as authenticator apps make them."""
import hashlib
import hmac
import struct

MECHANISM = "TOTP"


def code(secret, now, digits=6, period=30):
    digest = hmac.new(secret, struct.pack(">Q", int(now) // period), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F                             # RFC 4226 section 5.3
    number = struct.unpack(">L", digest[offset:offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10 ** digits:0{digits}}"
