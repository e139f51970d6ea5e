// A mutual TLS server of Go's standard library, for as many connections as come: server DIR. DIR holds authority.pem, server.pem and server.key.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
)

func main() {
	directory := os.Args[1]
	pem, err := os.ReadFile(directory + "/authority.pem")
	check(err)
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(pem)
	own, err := tls.LoadX509KeyPair(directory+"/server.pem", directory+"/server.key")
	check(err)
	config := &tls.Config{Certificates: []tls.Certificate{own}, ClientCAs: authorities, ClientAuth: tls.RequireAndVerifyClientCert}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Printf("listening on %s\n", listener.Addr())
	for {
		socket, err := listener.Accept()
		check(err)
		go func() {
			defer socket.Close()
			stream := tls.Server(socket, config)
			if stream.Handshake() != nil {
				io.Copy(io.Discard, socket) // Closing with unread octets would send a reset, which may overtake the alert.
				return
			}
			io.Copy(stream, stream)
			stream.CloseWrite()
		}()
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
