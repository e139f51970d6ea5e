#!/usr/bin/env python3
"""A peer of MutualAuth in Python, with nothing but the standard library: an echo server and its client that speak docs/protocol.md.

Both sides learn within the handshake whether the other accepts them. What OpenSSL checks (path, dates, purpose, and the server's name) it
refuses by an alert; what this file checks (the client's name) it refuses by a verdict frame. A client with --user logs in as well, by
SCRAM-SHA-256-PLUS (scram.py), and with --totp-secret-file by a one-time code behind it; it can log in again while the connection is open.
See README.md beside it.
"""
import argparse
import base64
import hashlib
import re
import socket
import ssl
import struct
import sys
import time

import scram
import totp

PROTOCOL = "mutualauth/1"
DEADLINE = 10.0          # seconds, from the transport to both verdicts
LINGER = 1.0             # seconds, for a refusal to arrive before the transport is closed
ACCEPTED, REFUSED, ACCESS_DENIED = 0, 40, 49

CODES = {
    40: "refused", 42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired",
    46: "certificate_unknown", 48: "unknown_ca", 49: "access_denied", 50: "protocol_error", 70: "protocol_version", 80: "internal_error",
    112: "unrecognized_name", 116: "certificate_required", 120: "no_application_protocol", 256: "try_again_later",
    257: "credentials_required", 258: "credentials_wrong", 259: "mechanism_unavailable", 260: "channel_binding_refused",
}

# Frames, sections 3 and 12: their types, and the most that each may hold.
VERDICT, LOGIN, MECHANISMS, START, CHALLENGE, RESPONSE, OUTCOME, NEXT = range(1, 9)
LONGEST = {VERDICT: 2, MECHANISMS: 1024, CHALLENGE: 16384, OUTCOME: 16387, NEXT: 17411}
MOST_EXCHANGES = 3

# Alerts as verdicts, section 6 of the page. Python gives an alert by OpenSSL's name for it, and by no number.
ALERTS = {
    "handshake_failure": 40, "no_certificate": 116, "bad_certificate": 42, "unsupported_certificate": 43, "certificate_revoked": 44,
    "certificate_expired": 45, "certificate_unknown": 46, "unknown_ca": 48, "access_denied": 49, "decode_error": 50, "decrypt_error": 42,
    "protocol_version": 70, "internal_error": 80, "unrecognized_name": 112, "bad_certificate_status_response": 46,
    "bad_certificate_hash_value": 46, "certificate_required": 116, "no_application_protocol": 120, "unexpected_message": 50,
    "bad_record_mac": 50, "record_overflow": 50, "illegal_parameter": 50, "missing_extension": 50, "unsupported_extension": 50,
}


class Rejected(Exception):
    """We said no; the text says why."""


class RefusedByPeer(Exception):
    """The peer said no, with this public code."""

    def __init__(self, code):
        super().__init__(CODES.get(code, f"code_{code}"))


class Failed(Exception):
    """Nobody said no, and it still came to nothing."""


class Deadline:
    """One for everything until both verdicts are there."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def hold(self, sock):
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        sock.settimeout(left)


def authenticate(tcp, context, judge, converse=None, **role):
    """From a connected socket to a stream whose two sides have accepted each other, or an exception that says who said no."""
    deadline = Deadline(DEADLINE)
    deadline.hold(tcp)
    tls = context.wrap_socket(tcp, do_handshake_on_connect=False, suppress_ragged_eofs=False, **role)
    try:
        shake_hands(tls)
        if (tls.selected_alpn_protocol() or "").partition("+")[0] != PROTOCOL:
            raise Failed("confirmation_unavailable")
        own = judge(tls.getpeercert())
        theirs = (converse if converse and own == ACCEPTED else confirm)(tls, own, deadline)
        if own != ACCEPTED:
            raise Rejected("not_authorized")
        if theirs != ACCEPTED:
            raise RefusedByPeer(theirs)
        tls.settimeout(None)
        return tls
    except Rejected:
        close_so_that_it_arrives(tls)
        raise
    except BaseException:
        tls.close()
        raise


def shake_hands(tls):
    try:
        tls.do_handshake()
    except ssl.SSLCertVerificationError as error:
        raise Rejected(error.verify_message) from error    # OpenSSL has sent the alert
    except OSError as error:
        if "PEER_DID_NOT_RETURN_A_CERTIFICATE" in str(error):
            raise Rejected("no certificate") from error
        raise verdict_of(error) from error


def confirm(tls, own, deadline):
    """Sends our verdict without waiting for the peer's, and returns the peer's: 0, or a public code."""
    unheard = None
    try:
        send(tls, VERDICT, struct.pack(">H", own), deadline)
    except OSError as error:
        unheard = error                                    # their reason may be waiting all the same
    try:
        theirs = read_verdict(tls, deadline)
    except (OSError, Failed) as error:
        if own != ACCEPTED:
            return REFUSED                                 # whatever they do now, our own no stands
        raise error if isinstance(error, Failed) else verdict_of(error) from error
    if unheard is not None and theirs == ACCEPTED and own == ACCEPTED:
        raise Failed(f"our verdict did not arrive: {unheard}")
    return theirs


def read_verdict(tls, deadline):
    return struct.unpack(">H", read_frame(tls, deadline, VERDICT)[1])[0]


def read_frame(tls, deadline, *expected):
    kind, length = struct.unpack(">BH", read_exactly(tls, 3, deadline))
    if kind not in expected or length > LONGEST[kind] or (kind == VERDICT and length != 2):
        raise Failed("confirmation_malformed")             # judged before the payload is read
    return kind, read_exactly(tls, length, deadline)


def send(tls, kind, payload, deadline):
    deadline.hold(tls)
    tls.sendall(struct.pack(">BH", kind, len(payload)) + payload)


class User:
    """Who logs in, with what; and what a later login on the same connection is bound to."""

    def __init__(self, name, password, totp_secret=None):
        self.name, self.password, self.totp_secret = name, password, totp_secret
        self.transcript, self.certificate = hashlib.sha256(), None

    def log_in(self, tls, _, deadline):
        """Section 12: in place of our verdict, a login; it comes last, when the server has proven that it knows us."""
        self.certificate = tls.getpeercert(binary_form=True)
        try:
            send(tls, LOGIN, b"", deadline)
        except OSError:
            pass                                           # why is waiting to be read
        try:
            theirs = self._converse(scram.Exchange(self.name, self.password, self.certificate), *self._noting(tls, deadline))
            if theirs == ACCEPTED:
                send(tls, VERDICT, struct.pack(">H", ACCEPTED), deadline)
            return theirs
        except scram.Refused as reason:
            send(tls, VERDICT, struct.pack(">H", REFUSED), deadline)
            raise Rejected(str(reason)) from reason
        except OSError as error:
            raise verdict_of(error) from error

    def log_in_again(self, tls, deadline):
        """Section 12.5: the same, in messages of the application's, each behind its length in two octets; bound to this connection."""
        parts = (b"mutualauth reauth 1", scram.channel_binding(self.certificate)[1], self.transcript.digest(), b"")
        bound = hashlib.sha256(b"".join(struct.pack(">Q", len(part)) + part for part in parts)).digest()
        exchange = scram.Exchange(self.name, self.password, None, binding=bound, binding_type="mutualauth-reauth")

        def read(*expected):
            message = read_exactly(tls, struct.unpack(">H", read_exactly(tls, 2, deadline))[0], deadline)
            kind, length = struct.unpack(">BH", message[:3]) if len(message) >= 3 else (0, 0)
            if kind not in expected or length != len(message) - 3 or length > LONGEST[kind]:
                raise scram.Refused("credential_protocol_violated")
            return kind, message[3:]

        def say(kind, payload):
            message = struct.pack(">BH", kind, len(payload)) + payload
            deadline.hold(tls)
            tls.sendall(struct.pack(">H", len(message)) + message)

        try:
            return self._converse(exchange, read, say)
        except scram.Refused as reason:
            say(VERDICT, struct.pack(">H", REFUSED))
            raise Rejected(str(reason)) from reason

    def _noting(self, tls, deadline):
        """Frames over the stream; the digest of those from MECHANISMS to OUTCOME is each connection's own."""
        def note(kind, payload):
            if kind not in (VERDICT, LOGIN):
                self.transcript.update(struct.pack(">BH", kind, len(payload)) + payload)

        def read(*expected):
            kind, payload = read_frame(tls, deadline, *expected)
            note(kind, payload)
            return kind, payload

        def say(kind, payload):
            note(kind, payload)
            send(tls, kind, payload, deadline)

        return read, say

    def _converse(self, exchange, read, say):
        kind, payload = read(VERDICT, MECHANISMS, OUTCOME)
        if kind != MECHANISMS:
            return refusal(payload, "credentials_not_asked")   # yes to somebody who did not say who he is: not the server that knows us
        if scram.MECHANISM.encode() not in payload.split(b" "):
            raise scram.Refused("mechanism_unavailable")
        say(START, start_of(scram.MECHANISM, exchange.first_message()))
        kind, payload = read(VERDICT, CHALLENGE, OUTCOME)
        if kind != CHALLENGE:
            return refusal(payload, "credential_protocol_violated")
        say(RESPONSE, exchange.final_message(payload))
        check = exchange.check_server_signature
        for number in range(1, MOST_EXCHANGES + 1):
            kind, payload = read(VERDICT, OUTCOME, NEXT)
            if kind == VERDICT or (kind == OUTCOME and payload[:2] != b"\0\0"):
                return refusal(payload, "credential_protocol_violated")
            last, names = read_next(payload) if kind == NEXT else (payload[3:] if payload[2:3] == b"\x01" else None, None)
            check(last)                                    # before anything else is shown to a server that has not proven itself
            if kind == OUTCOME:
                return ACCEPTED
            if number == MOST_EXCHANGES:
                break
            if self.totp_secret is None or totp.MECHANISM.encode() not in names:
                raise scram.Refused("second_factor_unavailable")
            say(START, start_of(totp.MECHANISM, totp.code(self.totp_secret, time.time()).encode()))
            check = lambda nothing: None                   # a code makes the server prove nothing
        raise scram.Refused("credential_protocol_violated")


def start_of(mechanism, message):
    return bytes([len(mechanism)]) + mechanism.encode() + b"\x01" + message


def read_next(payload):
    """Section 12: a last message of the finished exchange, or None, and the names of the mechanisms for the next."""
    there, length = struct.unpack(">BH", payload[:3]) if len(payload) > 3 else (2, 0)
    if there > 1 or (there == 0 and length > 0) or len(payload) <= 3 + length:
        raise scram.Refused("credential_protocol_violated")
    return payload[3:3 + length] if there else None, payload[3 + length:].split(b" ")


def refusal(payload, otherwise):
    """The code of a VERDICT or OUTCOME that has to be a refusal here."""
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or code == ACCEPTED:
        raise scram.Refused(otherwise)
    return code


def read_exactly(tls, count, deadline):
    data = b""
    while len(data) < count:
        deadline.hold(tls)
        part = tls.recv(count - len(data))                 # never ask for more: the rest is the application's
        if not part:
            raise Failed("confirmation_truncated")
        data += part
    return data


def verdict_of(error):
    """What an exception of the TLS layer means: the peer's refusal when it holds an alert, else a failure."""
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return Failed("confirmation_truncated")
    if isinstance(error, ssl.SSLError) and error.library == "SSL":
        # OpenSSL 3.0 has no word for some alerts, 120 among them: then there is no reason.
        alert = re.fullmatch(r"(?:TLSV1|TLSV13|SSLV3)_(?:ALERT_)?(\w+)", error.reason or "SSLV3_ALERT_UNNAMED")
        if alert:
            return RefusedByPeer(ALERTS.get(alert.group(1).lower(), REFUSED))
    return Failed("handshake_timed_out" if isinstance(error, TimeoutError) else f"transport_failed: {error}")


def close_so_that_it_arrives(tls):
    """Section 5: close_notify, no more from us, and read what is left, so that no reset overtakes our refusal."""
    end = time.monotonic() + LINGER
    tcp = None
    try:
        tls.settimeout(LINGER)
        try:
            tcp = tls.unwrap()                             # sends close_notify and waits for the peer's
        except OSError:
            tcp = socket.socket(fileno=tls.detach())       # the peer closed without one, or TLS was never ready
        tcp.shutdown(socket.SHUT_WR)
        left = 65536
        while left > 0 and (wait := end - time.monotonic()) > 0:
            tcp.settimeout(wait)
            part = tcp.recv(min(left, 4096))
            if not part:
                break
            left -= len(part)
    except OSError:
        pass                                               # it is gone, which is all that was wanted
    finally:
        (tcp or tls).close()


def say_goodbye(tls):
    """close_notify, so that the other side knows that nothing was cut off."""
    try:
        tls.settimeout(LINGER)
        tls.unwrap()
    except OSError:
        pass                                               # the peer closed without one


def context_for(options, purpose):
    context = ssl.create_default_context(purpose, cafile=options.trust)
    if options.certificate:
        context.load_cert_chain(options.certificate, options.key)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2 if options.max_tls == "1.2" else ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.hostname_checks_common_name = False
    context.set_alpn_protocols([f"{PROTOCOL}+{name}" for name in options.alpn] + [PROTOCOL])
    return context


def first_line(path):
    with open(path, encoding="utf-8") as file:
        return file.readline().rstrip("\r\n")


def secret_of(options):
    """The secret of the one-time codes, in base32 as authenticator apps show it."""
    return base64.b32decode(first_line(options.totp_secret_file)) if options.totp_secret_file else None


def run_client(options):
    host, port = options.connect.rsplit(":", 1)
    name = options.server_name or host
    context = context_for(options, ssl.Purpose.SERVER_AUTH)

    def judge(certificate):
        # OpenSSL has checked everything that a server must show. To a server that it does not accept, a client says 40 and nothing else.
        return ACCEPTED if certificate else REFUSED

    user = User(options.user, first_line(options.password_file), secret_of(options)) if options.user else None
    converse = user.log_in if user else None

    with authenticate(socket.create_connection((host, int(port)), DEADLINE), context, judge, converse, server_hostname=name) as tls:
        print(f"accepted name={name} confirmed=yes tls={tls.version()[4:]} alpn={tls.selected_alpn_protocol()}", file=sys.stderr, flush=True)
        for _ in range(options.reauthentications):
            theirs = user.log_in_again(tls, Deadline(DEADLINE))
            if theirs != ACCEPTED:
                raise RefusedByPeer(theirs)
            print("reauthenticated", file=sys.stderr, flush=True)
        tls.settimeout(None)
        while sent := sys.stdin.buffer.read1(16384):
            tls.sendall(sent)
            missing = len(sent)
            while missing > 0:
                part = tls.recv(missing)
                if not part:
                    raise Failed("the server closed before everything had come back")
                sys.stdout.buffer.write(part)
                sys.stdout.buffer.flush()
                missing -= len(part)
        say_goodbye(tls)
    return 0


def run_server(options):
    context = context_for(options, ssl.Purpose.CLIENT_AUTH)
    context.num_tickets = 0                                # nobody resumes, so that everybody is judged in full
    host, port = options.listen.rsplit(":", 1)

    def judge(certificate):
        names = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"]
        return ACCEPTED if any(name in options.allow_dns for name in names) else ACCESS_DENIED

    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{listener.getsockname()[1]}", flush=True)
        while True:
            tcp, _ = listener.accept()
            serve(tcp, context, judge)                     # one after the other: this is an example


def serve(tcp, context, judge):
    try:
        with authenticate(tcp, context, judge, server_side=True) as tls:
            names = [value for kind, value in tls.getpeercert()["subjectAltName"] if kind == "DNS"]
            print(f"accepted name={names[0]} confirmed=yes tls={tls.version()[4:]} alpn={tls.selected_alpn_protocol()}", flush=True)
            while part := tls.recv(16384):
                tls.sendall(part)
            say_goodbye(tls)
    except Rejected as reason:
        print(f"rejected reason={reason}", flush=True)
    except RefusedByPeer as code:
        print(f"refused-by-peer code={code}", flush=True)
    except (Failed, OSError) as error:
        print(f"failed: {error}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    client = commands.add_parser("client", help="send stdin to an echo server, and print what comes back")
    client.add_argument("--connect", required=True, metavar="HOST:PORT")
    client.add_argument("--server-name", metavar="NAME", help="the name that the server's certificate must have; default: HOST")
    client.add_argument("--user", metavar="NAME", help="log in as this user, by SCRAM-SHA-256-PLUS")
    client.add_argument("--password-file", metavar="FILE", help="a file whose first line is the user's password")
    client.add_argument("--totp-secret-file", metavar="FILE", help="a file with the secret of one-time codes, in base32: the second factor")
    client.add_argument("--reauthentications", type=int, default=0, metavar="N", help="how often the server asks to log in again before it echoes")
    client.set_defaults(run=run_client)
    server = commands.add_parser("server", help="echo what clients send")
    server.add_argument("--listen", default="127.0.0.1:0", metavar="HOST:PORT")
    server.add_argument("--allow-dns", action="append", required=True, metavar="NAME", help="a client that is let in")
    server.set_defaults(run=run_server)
    for command in (client, server):
        command.add_argument("--certificate", metavar="FILE")
        command.add_argument("--key", metavar="FILE")
        command.add_argument("--trust", required=True, metavar="FILE")
        command.add_argument("--max-tls", choices=("1.2", "1.3"), default="1.3")
        command.add_argument("--alpn", action="append", default=[], metavar="NAME")
    options = parser.parse_args()
    user = getattr(options, "user", None)
    if bool(options.certificate) != bool(options.key) or not (options.certificate or user):
        parser.error("give --certificate and --key" + (", or --user" if options.run is run_client else ""))
    if bool(user) != bool(getattr(options, "password_file", None)):
        parser.error("--user and --password-file go together")
    if not user and (getattr(options, "totp_secret_file", None) or getattr(options, "reauthentications", 0)):
        parser.error("--totp-secret-file and --reauthentications need --user")
    try:
        return options.run(options)
    except Rejected as reason:
        print(f"rejected: {reason}", file=sys.stderr)
        return 10
    except RefusedByPeer as code:
        print(f"{code}: the server refused us", file=sys.stderr)
        return 11
    except (Failed, OSError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 12


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
