"""SCRAM-SHA-256-PLUS at the client (RFC 5802, RFC 7677), bound to the server's certificate (RFC 5929, and section 12.2), with Python's standard library alone."""
import base64
import binascii
import hashlib
import hmac
import secrets
import stringprep
import unicodedata

MECHANISM = "SCRAM-SHA-256-PLUS"
LEAST_ITERATIONS, MOST_ITERATIONS = 4096, 1_000_000
LEAST_SERVER_NONCE = 8


class Refused(Exception):
    """The server is not believed; the text says why."""


class Exchange:
    """One login: first_message, then final_message, then check_server_signature; each once, in this order."""

    def __init__(self, user, password, certificate, nonce=None, binding=None, binding_type="tls-server-end-point"):
        kind, binding = (binding_type, binding) if binding else channel_binding(certificate)
        self._header = f"p={kind},,".encode()
        self._bound = base64.b64encode(self._header + binding).decode()
        self._password = saslprep(password).encode()
        self._nonce = nonce or secrets.token_urlsafe(18)
        self._bare = f"n={escape(saslprep(user))},r={self._nonce}"
        self._server_signature = None

    def first_message(self):
        return self._header + self._bare.encode()

    def final_message(self, challenge):
        nonce, salt, iterations = self._read(challenge)
        salted = hashlib.pbkdf2_hmac("sha256", self._password, salt, iterations)
        without_proof = f"c={self._bound},r={nonce}"
        authenticated = ",".join((self._bare, challenge.decode(), without_proof)).encode()
        client_key = mac(salted, b"Client Key")
        signature = mac(hashlib.sha256(client_key).digest(), authenticated)
        proof = bytes(left ^ right for left, right in zip(client_key, signature))
        self._server_signature = mac(mac(salted, b"Server Key"), authenticated)
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def check_server_signature(self, message):
        """The server knows our verifier, or somebody says yes to everybody."""
        if self._server_signature is None or not hmac.compare_digest(b"v=" + base64.b64encode(self._server_signature), message or b""):
            raise Refused("server_signature_wrong")

    def _read(self, challenge):
        try:
            nonce, salt, iterations = challenge.decode("ascii").split(",")[:3]
            if (nonce[:2], salt[:2], iterations[:2]) != ("r=", "s=", "i=") or not iterations[2:].isdigit() or len(iterations) > 12:
                raise ValueError
            nonce, salt, iterations = nonce[2:], base64.b64decode(salt[2:], validate=True), int(iterations[2:])
        except (ValueError, binascii.Error) as error:
            raise Refused("credential_protocol_violated") from error
        if not nonce.startswith(self._nonce) or len(nonce) < len(self._nonce) + LEAST_SERVER_NONCE:
            raise Refused("credential_protocol_violated")
        if not LEAST_ITERATIONS <= iterations <= MOST_ITERATIONS:      # judged before anything is derived
            raise Refused("iteration_count_out_of_range")
        return nonce, salt, iterations


def mac(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


def escape(name):
    return name.replace("=", "=3D").replace(",", "=2C")


def saslprep(text):
    """RFC 4013, for stored strings."""
    mapped = "".join(" " if stringprep.in_table_c12(char) else char for char in text if not stringprep.in_table_b1(char))
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    prohibited = (stringprep.in_table_a1, stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4,
                  stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8, stringprep.in_table_c9)
    if not prepared or any(table(char) for char in prepared for table in prohibited):
        raise Refused("a name or password holds characters that neither may, or is empty (RFC 4013)")
    if any(map(stringprep.in_table_d1, prepared)):                     # right to left: all of it, and at both ends
        if any(map(stringprep.in_table_d2, prepared)) or not (stringprep.in_table_d1(prepared[0]) and stringprep.in_table_d1(prepared[-1])):
            raise Refused("a name or password mixes directions (RFC 3454 section 6)")
    return prepared


# Signature algorithms (content of the OID, in hexadecimal) and the hash that each is bound by: SHA-256 where it uses MD5 or SHA-1.
SIGNATURES = {
    "2a864886f70d010104": "sha256", "2a864886f70d010105": "sha256", "2a8648ce3d0401": "sha256",
    "2a864886f70d01010b": "sha256", "2a864886f70d01010c": "sha384", "2a864886f70d01010d": "sha512",
    "2a8648ce3d040302": "sha256", "2a8648ce3d040303": "sha384", "2a8648ce3d040304": "sha512",
}
HASHES = {"2b0e03021a": "sha256", "2a864886f70d0205": "sha256", "608648016503040201": "sha256", "608648016503040202": "sha384", "608648016503040203": "sha512"}
# Ed25519, Ed448, ML-DSA-44, ML-DSA-65, ML-DSA-87: they use no hash, and have a binding of the protocol's own (section 12.2).
WITHOUT_HASH = {"2b6570", "2b6571", "608648016503040311", "608648016503040312", "608648016503040313"}
PSS, MGF1 = "2a864886f70d01010a", "2a864886f70d010108"
SHA1 = "2b0e03021a"


def channel_binding(certificate):
    """The name of the binding, and a hash of the whole certificate in DER: that of its signature algorithm, or SHA-384 where it uses none."""
    signed = elements(elements(certificate)[0][1])
    algorithm = elements(signed[1][1])
    oid = algorithm[0][1].hex()
    if oid in WITHOUT_HASH and len(algorithm) == 1:
        return "mutualauth-end-point", hashlib.sha384(certificate).digest()
    name = hash_of_pss(algorithm[1][1]) if oid == PSS else SIGNATURES.get(oid)
    if name is None:
        raise Refused("channel_binding_unavailable")
    return "tls-server-end-point", hashlib.new(name, certificate).digest()


def hash_of_pss(parameters):
    fields = dict(elements(parameters))
    first = elements(elements(fields[0xA0])[0][1])[0][1].hex() if 0xA0 in fields else SHA1
    second = SHA1
    if 0xA1 in fields:
        function = elements(elements(fields[0xA1])[0][1])
        if function[0][1].hex() != MGF1:
            return None
        second = elements(function[1][1])[0][1].hex()
    return HASHES.get(first) if first == second else None


def elements(der):
    """The elements of a DER content, each as (tag, content). Enough for a certificate that OpenSSL has accepted."""
    found = []
    while der:
        tag, length, head = der[0], der[1], 2
        if length >= 0x80:
            head += length & 0x7F
            length = int.from_bytes(der[2:head], "big")
        found.append((tag, der[head:head + length]))
        der = der[head + length:]
    return found
