// A client that makes handshakes with mutual TLS 1.3 as fast as a server takes them, on the standard library alone: it costs so much less than the
// servers that they, and not it, are what is at the limit.
//
//	client DIRECTORY
//
// Prints "ready 0". A line "rate PORT SECONDS AT-ONCE" on stdin is answered with "cpu HANDSHAKES NANOSECONDS"; the end of stdin ends the process.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: client DIRECTORY")
	}
	settings := configuration(os.Args[1])
	fmt.Println("ready 0")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var port, seconds, atOnce int
		if _, err := fmt.Sscanf(lines.Text(), "rate %d %d %d", &port, &seconds, &atOnce); err != nil {
			log.Fatal(err)
		}
		began := time.Now()
		count := run(settings, fmt.Sprintf("127.0.0.1:%d", port), began.Add(time.Duration(seconds)*time.Second), atOnce)
		fmt.Printf("cpu %d %d\n", count, time.Since(began).Nanoseconds())
	}
}

func configuration(directory string) *tls.Config {
	certificate, err := tls.LoadX509KeyPair(filepath.Join(directory, "client.pem"), filepath.Join(directory, "client.key"))
	if err != nil {
		log.Fatal(err)
	}
	root, err := os.ReadFile(filepath.Join(directory, "root.pem"))
	if err != nil {
		log.Fatal(err)
	}
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM(root)
	return &tls.Config{
		Certificates: []tls.Certificate{certificate},
		RootCAs:      trust,
		ServerName:   "server.test",
		MinVersion:   tls.VersionTLS13,
	}
}

// Each connection says one octet and waits until it comes back: then the server has accepted it too.
func run(settings *tls.Config, address string, until time.Time, atOnce int) int64 {
	var count int64
	var all sync.WaitGroup
	for worker := 0; worker < atOnce; worker++ {
		all.Add(1)
		go func() {
			defer all.Done()
			octet := []byte{1}
			for time.Now().Before(until) {
				connection, err := tls.Dial("tcp", address, settings)
				if err != nil {
					log.Fatal(err)
				}
				if _, err := connection.Write(octet); err != nil {
					log.Fatal(err)
				}
				if _, err := connection.Read(octet); err != nil {
					log.Fatal(err)
				}
				connection.Close()
				atomic.AddInt64(&count, 1)
			}
		}()
	}
	all.Wait()
	return count
}
