// Pion's TURN client against a server: two relays, data from one to the other and back, over UDP, TCP or TLS.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v4"
)

const patience = 20 * time.Second

func main() {
	kind := flag.String("kind", "udp", "udp, tcp or tls")
	server := flag.String("server", "", "HOST:PORT")
	user := flag.String("user", "", "name")
	password := flag.String("password", "", "password")
	authority := flag.String("authority", "", "PEM file: who vouches for the server")
	count := flag.Int("count", 50, "packets each way")
	flag.Parse()

	ann, err := relay(*kind, *server, *authority, *user, *password)
	if err != nil {
		log.Fatal("first relay: ", err)
	}
	bob, err := relay(*kind, *server, *authority, *user, *password)
	if err != nil {
		log.Fatal("second relay: ", err)
	}
	sizes := []int{5, 6, 7, 100, 1200}
	if *kind == "udp" {
		sizes = append(sizes, 0, 1, 3) // on a stream Pion waits for the ninth byte of a message, padding included
	}
	for _, size := range sizes {
		if err := exchange(ann, bob, *count, size); err != nil {
			log.Fatalf("%d bytes: %v", size, err)
		}
	}
	if err := errors.Join(ann.Close(), bob.Close()); err != nil {
		log.Fatal("close: ", err)
	}
	fmt.Println("ok")
}

// relay allocates one on a connection of its own.
func relay(kind, server, authority, user, password string) (net.PacketConn, error) {
	conn, err := dial(kind, server, authority)
	if err != nil {
		return nil, err
	}
	client, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: server,
		TURNServerAddr: server,
		Conn:           conn,
		Username:       user,
		Password:       password,
		LoggerFactory:  logging.NewDefaultLoggerFactory(),
	})
	if err != nil {
		return nil, err
	}
	if err := client.Listen(); err != nil {
		return nil, err
	}
	if kind == "udp" {
		if _, err := client.SendBindingRequest(); err != nil {
			return nil, fmt.Errorf("binding: %w", err)
		}
	}
	return client.Allocate()
}

func dial(kind, server, authority string) (net.PacketConn, error) {
	switch kind {
	case "udp":
		return net.ListenPacket("udp", "127.0.0.1:0")
	case "tcp":
		conn, err := net.Dial("tcp", server)
		if err != nil {
			return nil, err
		}
		return turn.NewSTUNConn(conn), nil
	case "tls":
		pem, err := os.ReadFile(authority)
		if err != nil {
			return nil, err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		conn, err := tls.Dial("tcp", server, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
		if err != nil {
			return nil, err
		}
		return turn.NewSTUNConn(conn), nil
	}
	return nil, fmt.Errorf("no such kind: %s", kind)
}

// exchange sends packets of this size from one to the other and back. The first ones go as indications, the others
// through the channels that Pion binds meanwhile.
func exchange(ann, bob net.PacketConn, count, size int) error {
	// Each has to permit the other before it can hear it.
	for _, one := range []struct{ from, to net.PacketConn }{{ann, bob}, {bob, ann}} {
		if _, err := one.from.WriteTo([]byte("knock"), one.to.LocalAddr()); err != nil {
			return fmt.Errorf("permission: %w", err)
		}
	}
	for number := range count {
		data := bytes.Repeat([]byte{byte(number)}, size)
		if err := passes(ann, bob, data); err != nil {
			return fmt.Errorf("packet %d up: %w", number, err)
		}
		if err := passes(bob, ann, data); err != nil {
			return fmt.Errorf("packet %d down: %w", number, err)
		}
	}
	return nil
}

func passes(from, to net.PacketConn, data []byte) error {
	if _, err := from.WriteTo(data, to.LocalAddr()); err != nil {
		return err
	}
	buffer := make([]byte, 2000)
	if err := to.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	for {
		size, source, err := to.ReadFrom(buffer)
		if err != nil {
			return err
		}
		if bytes.Equal(buffer[:size], []byte("knock")) {
			continue
		}
		if source.String() != from.LocalAddr().String() {
			return fmt.Errorf("it came from %v", source)
		}
		if !bytes.Equal(buffer[:size], data) {
			return fmt.Errorf("%d bytes came instead of %d", size, len(data))
		}
		return nil
	}
}
