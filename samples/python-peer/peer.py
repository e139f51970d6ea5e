"""A peer that speaks mutualauth/1 (docs/protocol.md) with nothing but Python's standard library.

    peer.py listen  HOST:PORT --trust CA.pem --certificate CHAIN.pem --key KEY.pem --allow NAME
    peer.py connect HOST:PORT --trust CA.pem --certificate CHAIN.pem --key KEY.pem --server-name NAME [--allow NAME]

It echoes as a server, and sends stdin as a client. Whoever is not called NAME, by a DNS name or a URI of its certificate, is refused
by a verdict. What OpenSSL refuses inside TLS is refused by an alert, which counts as a verdict too.
Exit: 0; 1 closed before everything came back; 10 we rejected the peer; 11 it refused us; 12 no agreement.
"""
import argparse
import contextlib
import socket
import ssl
import struct
import sys
import time

ACCEPTED, REFUSED, ACCESS_DENIED = 0, 40, 49
DEADLINE, FRAME, VERDICT = 10.0, ">BHH", 1
NAMES = {40: "refused", 42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired",
         46: "certificate_unknown", 48: "unknown_ca", 49: "access_denied", 50: "protocol_error", 70: "protocol_version", 80: "internal_error",
         112: "unrecognized_name", 116: "certificate_required", 120: "no_application_protocol", 256: "try_again_later"}
ALERTS = {41: 116, 51: 42, 113: 46, 114: 46, 10: 50, 20: 50, 22: 50, 47: 50, 109: 50, 110: 50}  # §6; the others keep their number or are 40
NO_AGREEMENT = (70, 112, 120)


class Outcome(Exception):
    """The handshake ended without a connection: an exit code, and the line that says why."""

    def __init__(self, exit_code, line):
        super().__init__(line)
        self.exit_code = exit_code


def context(arguments, server_side):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_RENEGOTIATION
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(arguments.trust)
    made.load_cert_chain(arguments.certificate, arguments.key)
    made.set_alpn_protocols(["mutualauth/1"])
    return made


def authenticate(tcp, tls_context, allowed, **how):
    """TLS, our judgement, and the two verdicts (§4). Returns the stream and the peer's name, or raises an Outcome with all closed."""
    tcp.settimeout(DEADLINE)
    until = time.monotonic() + DEADLINE
    tls = tls_context.wrap_socket(tcp, do_handshake_on_connect=False, **how)
    try:
        tls.do_handshake()
        if tls.selected_alpn_protocol() != "mutualauth/1":
            raise Outcome(12, "confirmation_unavailable")
        names = [value for kind, value in tls.getpeercert().get("subjectAltName", ()) if kind in ("DNS", "URI")]
        own = ACCEPTED if allowed is None or allowed in names else ACCESS_DENIED if how.get("server_side") else REFUSED
        theirs = confirm(tls, own, until)
        if own != ACCEPTED:
            raise Outcome(10, f"rejected reason=not_authorized name={(names or ['-'])[0]}")
        if theirs != ACCEPTED:
            raise Outcome(11, f"refused-by-peer code={NAMES.get(theirs, f'code_{theirs}')}")
        tls.settimeout(None)
        return tls, (names or ["-"])[0]
    except Outcome as outcome:
        close(tls, polite=outcome.exit_code != 11)
        raise
    except ssl.SSLError as error:
        close(tls, polite=True)
        raise outcome_of(error) from error
    except (OSError, EOFError, ValueError) as error:
        close(tls, polite=False)
        raise Outcome(12, f"failed {error}") from error


def confirm(tls, own, until):
    """Sends our verdict and returns the peer's."""
    failure = None
    try:
        tls.sendall(struct.pack(FRAME, VERDICT, 2, own))
    except OSError as error:
        failure = error  # their reason may be waiting all the same
    kind, length = struct.unpack(">BH", read_exactly(tls, 3, until))
    if (kind, length) != (VERDICT, 2):
        raise ValueError("not a verdict")
    theirs = struct.unpack(">H", read_exactly(tls, 2, until))[0]
    if failure is not None and own == theirs == ACCEPTED:
        raise failure
    return theirs


def read_exactly(tls, count, until):
    data = b""
    while len(data) < count:
        tls.settimeout(max(0.001, until - time.monotonic()))
        part = tls.recv(count - len(data))  # never more: the rest is the application's
        if not part:
            raise EOFError("the peer closed before its verdict was complete")
        data += part
    return data


def outcome_of(error):
    """Whose refusal an error of OpenSSL's is: ours, the peer's by an alert (§6), or nobody's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Outcome(10, f"rejected reason={error.verify_message.replace(' ', '_')} name=-")
    if error.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        return Outcome(10, "rejected reason=no_certificate name=-")
    name = (error.reason or "").partition("_ALERT_")[2] or (error.reason or "").partition("_ALERT ")[2]
    alert = getattr(ssl.AlertDescription, f"ALERT_DESCRIPTION_{name}", None)
    if alert is None and name == "CERTIFICATE_REQUIRED":
        alert = 116
    if alert is None:
        return Outcome(12, f"failed {error}")
    code = ALERTS.get(alert, int(alert) if int(alert) in NAMES else REFUSED)
    return Outcome(12 if code in NO_AGREEMENT else 11, f"refused-by-peer code={NAMES[code]}")


def close(tls, polite):
    """Closes; politely (§5) when we refused: no reset may overtake the reason."""
    with contextlib.suppress(OSError, ValueError):
        if polite:
            until = time.monotonic() + 1
            tls.settimeout(1)
            with contextlib.suppress(OSError, ValueError):
                tls = tls.unwrap()
            tls.shutdown(socket.SHUT_WR)
            drained = 0
            while drained < 65536 and (part := tls.recv(4096)):
                drained += len(part)
                tls.settimeout(max(0.001, until - time.monotonic()))
    tls.close()


def listen(arguments, host, port):
    tls_context = context(arguments, server_side=True)
    with socket.create_server((host, port)) as listener:
        print(f"listening on {host}:{listener.getsockname()[1]}", flush=True)
        while True:  # one peer at a time: it is a sample of the protocol, not of a server
            tcp, _ = listener.accept()
            try:
                tls, name = authenticate(tcp, tls_context, arguments.allow, server_side=True)
            except Outcome as outcome:
                print(outcome, flush=True)
                continue
            print(f"accepted name={name} confirmed=yes", flush=True)
            with contextlib.suppress(OSError), tls:
                while data := tls.recv(4096):
                    tls.sendall(data)


def connect(arguments, host, port):
    tcp = socket.create_connection((host, port), timeout=DEADLINE)
    tls, name = authenticate(tcp, context(arguments, server_side=False), arguments.allow, server_hostname=arguments.server_name or host)
    print(f"accepted name={name} confirmed=yes", file=sys.stderr, flush=True)
    with tls:
        for line in sys.stdin.buffer:
            tls.sendall(line)
            missing = len(line)
            while missing:
                part = tls.recv(missing)
                if not part:
                    raise Outcome(1, "peer_closed")
                missing -= len(part)
                sys.stdout.buffer.write(part)
                sys.stdout.buffer.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("role", choices=["listen", "connect"])
    parser.add_argument("address", metavar="HOST:PORT")
    for flag in ("--trust", "--certificate", "--key"):
        parser.add_argument(flag, required=True, metavar="FILE")
    parser.add_argument("--allow", metavar="NAME")
    parser.add_argument("--server-name", metavar="NAME")
    arguments = parser.parse_args()
    if arguments.role == "listen" and arguments.allow is None:
        parser.error("say who is let in: --allow NAME")
    host, _, port = arguments.address.rpartition(":")
    try:
        (listen if arguments.role == "listen" else connect)(arguments, host, int(port))
    except Outcome as outcome:
        print(outcome, file=sys.stderr)
        return outcome.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
