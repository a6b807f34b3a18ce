package iscsi

import (
	"bufio"
	"errors"
	"net"
	"sync"
	"time"
)

const (
	// loginTimeout is how long a login may take from the first byte to the last.
	loginTimeout = 15 * time.Second
	// segmentTimeout is how long the rest of a PDU may take once it has begun,
	// and how long an initiator may take to make room for one.
	segmentTimeout = 30 * time.Second
)

// link is a connection with its StatSN: PDUs in, numbered PDUs out.
type link struct {
	conn net.Conn
	in   *bufio.Reader
	// window returns ExpCmdSN and MaxCmdSN for the PDU that is about to be sent.
	window func() (expected, highest uint32)

	out    sync.Mutex // guards all below
	statSN uint32     // of the next response
	failed error      // what broke the way out
}

func newLink(conn net.Conn) *link {
	return &link{conn: conn, in: bufio.NewReaderSize(conn, 64<<10), statSN: 1}
}

// receive reads the next PDU. In the login phase the deadline is that of the
// login; later an initiator may be silent for as long as it likes, but not in
// the middle of a PDU.
func (l *link) receive(limit int, login bool) (*pdu, error) {
	if !login {
		if err := l.conn.SetReadDeadline(time.Time{}); err != nil {
			return nil, err
		}
		if _, err := l.in.Peek(1); err != nil {
			return nil, err
		}
		if err := l.conn.SetReadDeadline(time.Now().Add(segmentTimeout)); err != nil {
			return nil, err
		}
	}
	return readPDU(l.in, limit)
}

// numbering says what a PDU does with StatSN.
type numbering uint8

const (
	unnumbered numbering = iota // the field stays reserved (Data-In without status, RFC 7143 11.7.3)
	announced                   // carries the next StatSN and does not use it up (R2T, 11.8.3)
	numbered                    // carries a StatSN of its own
)

// send numbers p and writes it. After an error the connection is of no use and
// closed.
func (l *link) send(p *pdu, n numbering) error {
	return l.sendIf(p, n, func() bool { return true })
}

// sendIf does the same if commit agrees. No other PDU is sent between commit and
// p.
func (l *link) sendIf(p *pdu, n numbering, commit func() bool) error {
	l.out.Lock()
	defer l.out.Unlock()
	if l.failed != nil {
		return l.failed
	}
	if !commit() {
		return nil
	}
	if n != unnumbered {
		p.put32(24, l.statSN)
	}
	if n == numbered {
		l.statSN++
	}
	expected, highest := l.window()
	p.put32(28, expected)
	p.put32(32, highest)
	p.setDataLen(len(p.data))
	err := l.conn.SetWriteDeadline(time.Now().Add(segmentTimeout))
	if err == nil {
		parts := net.Buffers{p.header[:]}
		if len(p.data) > 0 {
			var zeros [3]byte
			parts = append(parts, p.data, zeros[:padded(len(p.data))-len(p.data)])
		}
		_, err = parts.WriteTo(l.conn)
	}
	if err != nil {
		l.failed = errors.Join(err, l.conn.Close())
	}
	return l.failed
}

// cut ends the connection as a broken cable does: what was not sent yet is lost.
func (l *link) cut() {
	if c, ok := l.conn.(*net.TCPConn); ok {
		_ = c.SetLinger(0) // else the kernel would still deliver what it has
	}
	_ = l.conn.Close() // there is nobody left who could be told
}
