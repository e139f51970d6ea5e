// A plain TLS peer: client HOST PORT DIR | server DIR. DIR holds authority.pem, peer.pem and peer.key.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

func main() {
	directory := os.Args[len(os.Args)-1]
	pem, err := os.ReadFile(directory + "/authority.pem")
	check(err)
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(pem)
	own, err := tls.LoadX509KeyPair(directory+"/peer.pem", directory+"/peer.key")
	check(err)
	config := &tls.Config{Certificates: []tls.Certificate{own}, RootCAs: authorities, ClientCAs: authorities,
		ClientAuth: tls.RequireAndVerifyClientCert, ServerName: "server.test"}

	if os.Args[1] == "client" {
		stream, err := tls.Dial("tcp", net.JoinHostPort(os.Args[2], os.Args[3]), config)
		check(err)
		_, err = stream.Write([]byte("hello\n"))
		check(err)
		line, err := bufio.NewReader(stream).ReadString('\n')
		check(err)
		fmt.Println(strings.TrimSpace(line))
		check(stream.Close())
		return
	}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Printf("listening on %s\n", listener.Addr())
	socket, err := listener.Accept()
	check(err)
	stream := tls.Server(socket, config)
	if err = stream.Handshake(); err != nil {
		io.Copy(io.Discard, socket) // Closing with unread octets would send a reset, which may overtake the alert.
		check(err)
	}
	_, err = io.Copy(stream, stream)
	check(err)
	check(stream.Close())
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
