// Asks Go's crypto/x509 about many cases: reads a file of them, and prints a line for each, "accepted" or the reason.
//
// The file: for each case the time in Unix seconds (8 octets), the number of certificates (4 octets), and each of them with its length
// (4 octets) in front: the anchor, the peer's, and those that it sends along. All numbers are big-endian.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	in, out := bufio.NewReaderSize(file, 1<<20), bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		var head [12]byte
		if _, err := io.ReadFull(in, head[:]); err == io.EOF {
			return
		} else if err != nil {
			panic(err)
		}
		at := time.Unix(int64(binary.BigEndian.Uint64(head[:8])), 0)
		certificates := make([][]byte, binary.BigEndian.Uint32(head[8:]))
		for i := range certificates {
			var length [4]byte
			if _, err := io.ReadFull(in, length[:]); err != nil {
				panic(err)
			}
			certificates[i] = make([]byte, binary.BigEndian.Uint32(length[:]))
			if _, err := io.ReadFull(in, certificates[i]); err != nil {
				panic(err)
			}
		}
		fmt.Fprintln(out, strings.ReplaceAll(judge(at, certificates), "\n", " "))
	}
}

func judge(at time.Time, certificates [][]byte) string {
	root, err := x509.ParseCertificate(certificates[0])
	if err != nil {
		return "anchor: " + err.Error()
	}
	leaf, err := x509.ParseCertificate(certificates[1])
	if err != nil {
		return err.Error()
	}
	roots, others := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root)
	for _, der := range certificates[2:] {
		if other, err := x509.ParseCertificate(der); err == nil {
			others.AddCert(other)
		}
	}
	usages := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: at, KeyUsages: usages})
	if err != nil {
		return err.Error()
	}
	return "accepted"
}
