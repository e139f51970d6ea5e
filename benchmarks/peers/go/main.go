// An echo server with mutual TLS, on the standard library alone.
//
//	server DIRECTORY 1.2|1.3 TICKETS
//
// Prints "ready PORT". A line on stdin is answered with "cpu NANOSECONDS BYTES-ALLOCATED"; the end of stdin ends the process.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: server DIRECTORY 1.2|1.3 0|1")
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", configuration(os.Args[1], os.Args[2], os.Args[3] == "1"))
	if err != nil {
		log.Fatal(err)
	}
	go answerControl()
	fmt.Printf("ready %d\n", listener.Addr().(*net.TCPAddr).Port)
	for {
		peer, err := listener.Accept()
		if err == nil {
			go serve(peer)
		}
	}
}

func configuration(directory, version string, tickets bool) *tls.Config {
	certificate, err := tls.LoadX509KeyPair(filepath.Join(directory, "server.pem"), filepath.Join(directory, "server.key"))
	if err != nil {
		log.Fatal(err)
	}
	root, err := os.ReadFile(filepath.Join(directory, "root.pem"))
	if err != nil {
		log.Fatal(err)
	}
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM(root)
	number := uint16(tls.VersionTLS13)
	if version == "1.2" {
		number = tls.VersionTLS12
	}
	return &tls.Config{
		Certificates:           []tls.Certificate{certificate},
		ClientCAs:              trust,
		ClientAuth:             tls.RequireAndVerifyClientCert,
		MinVersion:             number,
		MaxVersion:             number,
		SessionTicketsDisabled: !tickets,
	}
}

func serve(peer net.Conn) {
	defer peer.Close()
	buffer := make([]byte, 64*1024)
	for {
		count, err := peer.Read(buffer)
		if err != nil {
			return
		}
		if _, err := peer.Write(buffer[:count]); err != nil {
			return
		}
	}
}

func answerControl() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var usage syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		fmt.Printf("cpu %d %d\n", usage.Utime.Nano()+usage.Stime.Nano(), memory.TotalAlloc)
	}
	os.Exit(0)
}
