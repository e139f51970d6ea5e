"""A plain TLS peer: client HOST PORT DIR | server DIR. DIR holds authority.pem, peer.pem and peer.key."""
import socket
import ssl
import sys


def context(purpose, directory):
    made = ssl.create_default_context(purpose, cafile=f"{directory}/authority.pem")
    made.load_cert_chain(f"{directory}/peer.pem", f"{directory}/peer.key")
    made.verify_mode = ssl.CERT_REQUIRED
    return made


if sys.argv[1] == "client":
    host, port, directory = sys.argv[2:]
    tls = context(ssl.Purpose.SERVER_AUTH, directory)
    with socket.create_connection((host, int(port))) as tcp, tls.wrap_socket(tcp, server_hostname="server.test") as stream:
        stream.sendall(b"hello\n")
        line = stream.makefile("r").readline()
        if not line:
            sys.exit("closed without an answer")
        print(line.strip(), flush=True)
else:
    tls = context(ssl.Purpose.CLIENT_AUTH, sys.argv[2])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
        tcp, _ = listener.accept()
        with tls.wrap_socket(tcp, server_side=True, do_handshake_on_connect=False) as stream:
            try:
                stream.do_handshake()
            except ssl.SSLError:
                # Closing with unread octets would send a reset, which may overtake the alert.
                stream.shutdown(socket.SHUT_WR)
                while stream.recv(4096):
                    pass
                raise
            while data := stream.recv(4096):
                stream.sendall(data)
