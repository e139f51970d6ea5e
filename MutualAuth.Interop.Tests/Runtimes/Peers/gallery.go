// Servers for the gallery, one for each way to judge: gallery AUTHORITY CHAIN KEY. They send back what they get, and end with their input.
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
	pem, err := os.ReadFile(os.Args[1])
	check(err)
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(pem)
	own, err := tls.LoadX509KeyPair(os.Args[2], os.Args[3])
	check(err)

	serve("Right", &tls.Config{Certificates: []tls.Certificate{own}, ClientCAs: authorities, ClientAuth: tls.RequireAndVerifyClientCert})
	serve("Optional", &tls.Config{Certificates: []tls.Certificate{own}, ClientCAs: authorities, ClientAuth: tls.VerifyClientCertIfGiven})
	serve("NoPurpose", &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAnyClientCert,
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			between := x509.NewCertPool()
			var leaf *x509.Certificate
			for i, octets := range raw {
				certificate, err := x509.ParseCertificate(octets)
				if err != nil {
					return err
				}
				if i == 0 {
					leaf = certificate
				} else {
					between.AddCert(certificate)
				}
			}
			_, err := leaf.Verify(x509.VerifyOptions{Roots: authorities, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
			return err
		}})
	serve("Everybody", &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequestClientCert})
	io.Copy(io.Discard, os.Stdin)
}

func serve(name string, config *tls.Config) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Printf("%s %d\n", name, listener.Addr().(*net.TCPAddr).Port)
	go func() {
		for {
			socket, err := listener.Accept()
			check(err)
			go func() {
				defer socket.Close()
				stream := tls.Server(socket, config)
				if stream.Handshake() == nil {
					io.Copy(stream, stream)
				} else {
					io.Copy(io.Discard, socket) // Closing with unread octets would send a reset, which may overtake the alert.
				}
			}()
		}
	}()
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
