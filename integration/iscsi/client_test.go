package iscsi

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"burnfs/mmc"
)

// pipes is a network of two ends, so that tests run under fake time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

func (p *pipes) Addr() net.Addr { return pipeAddr{} }

// connect returns the initiator's end of a new connection.
func (p *pipes) connect() net.Conn {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours
}

// dial connects a client that keeps reading.
func (p *pipes) dial(t testing.TB) *client {
	t.Helper()
	c := &client{t: t, conn: p.connect(), more: make(chan struct{}, 1)}
	go c.pump()
	return c
}

const testName = "iqn.2024-01.burnfs.test:cd"

// newTestTarget serves drive over pipes. Target and drive end with the test.
func newTestTarget(t testing.TB, drive mmc.Transport) (*Target, *pipes) {
	t.Helper()
	p := newPipes()
	target := serve(p, nil)
	t.Cleanup(func() {
		if err := target.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := target.Add(testName, drive); err != nil {
		t.Fatal(err)
	}
	return target, p
}

// client is an initiator that says whatever a test wants.
type client struct {
	t      testing.TB
	conn   net.Conn
	more   chan struct{}
	itt    uint32
	cmdSN  uint32
	statSN uint32 // expected next, 0 before the first

	mu   sync.Mutex
	pdus []*pdu
	err  error
}

func (c *client) pump() {
	for {
		p, err := readPDU(c.conn, 1<<24)
		c.mu.Lock()
		if err != nil {
			c.err = err
		} else {
			c.pdus = append(c.pdus, p)
		}
		c.mu.Unlock()
		select {
		case c.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// read returns the next PDU, or an error when the connection has ended.
func (c *client) read() (*pdu, error) {
	c.t.Helper()
	for {
		c.mu.Lock()
		if len(c.pdus) > 0 {
			p := c.pdus[0]
			c.pdus = c.pdus[1:]
			c.mu.Unlock()
			return p, nil
		}
		err := c.err
		c.mu.Unlock()
		if err != nil {
			return nil, err
		}
		select {
		case <-c.more:
		case <-time.After(2 * time.Minute):
			c.t.Fatal("no PDU comes, and no end")
		}
	}
}

// want returns the next PDU, which must be of the given kind, and checks its
// StatSN.
func (c *client) want(op opcode) *pdu {
	c.t.Helper()
	p, err := c.read()
	if err != nil {
		c.t.Fatalf("instead of %v: %v", op, err)
	}
	if p.opcode() != op {
		c.t.Fatalf("instead of %v: %v % x", op, p.opcode(), p.header)
	}
	if carries := op != opDataIn || p.flags()&0x01 != 0; carries {
		if got := p.u32(24); c.statSN != 0 && got != c.statSN {
			c.t.Errorf("%v has StatSN %d, should have %d", op, got, c.statSN)
		}
		if c.statSN = p.u32(24); op != opR2T {
			c.statSN++
		}
	}
	return p
}

// wantEnd demands that the target closes the connection.
func (c *client) wantEnd() {
	c.t.Helper()
	if p, err := c.read(); err == nil {
		c.t.Fatalf("the connection goes on with %v", p.opcode())
	} else if !errors.Is(err, io.EOF) {
		c.t.Fatalf("the connection ends with %v", err)
	}
}

// quiet demands that nothing has come; the target must have nothing to do.
func (c *client) quiet() {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pdus) > 0 || c.err != nil {
		c.t.Fatalf("something came: %d PDUs, %v", len(c.pdus), c.err)
	}
}

// write sends bytes as they are. The target may close the connection meanwhile.
func (c *client) write(b []byte) {
	if _, err := c.conn.Write(b); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		c.t.Error(err)
	}
}

func (p *pdu) bytes() []byte {
	b := append(p.header[:], p.ahs...)
	b = append(b, p.data...)
	return append(b, make([]byte, padded(len(p.data))-len(p.data))...)
}

func (c *client) send(p *pdu) { c.write(p.bytes()) }

// request makes a PDU with the next tag and number.
func (c *client) request(op opcode, change ...func(*pdu)) *pdu {
	p := new(pdu)
	p.setOpcode(op)
	p.header[1] = flagFinal
	c.itt++
	p.setITT(c.itt)
	p.put32(24, c.cmdSN)
	c.cmdSN++
	for _, f := range change {
		f(p)
	}
	p.setDataLen(len(p.data))
	return p
}

func immediately(c *client) func(*pdu) {
	return func(p *pdu) {
		p.header[0] |= 0x40
		c.cmdSN--
	}
}

func withLUN(first uint16) func(*pdu) {
	return func(p *pdu) { binary.BigEndian.PutUint16(p.header[8:], first) }
}

// command makes a SCSI command.
func (c *client) command(cdb []byte, change ...func(*pdu)) *pdu {
	return c.request(opSCSICommand, slices.Concat([]func(*pdu){func(p *pdu) { copy(p.header[32:], cdb) }}, change)...)
}

// reads expects n bytes from the drive, writes n bytes to the drive.
func reads(n uint32) func(*pdu) {
	return func(p *pdu) { p.header[1] |= 0x40; p.put32(20, n) }
}

func writes(n uint32) func(*pdu) {
	return func(p *pdu) { p.header[1] |= 0x20; p.put32(20, n) }
}

func withData(b []byte) func(*pdu) { return func(p *pdu) { p.data = b } }

// text of login and text requests: pairs joined by blanks.
func withText(s string) func(*pdu) {
	return func(p *pdu) {
		for _, f := range strings.Fields(s) {
			p.data = append(append(p.data, f...), 0)
		}
	}
}

// loginPDU makes a login request: stage and flags in byte 1.
func (c *client) loginPDU(flags byte, text string) *pdu {
	p := c.request(opLogin, immediately(c), withText(text), func(p *pdu) {
		p.header[1] = flags
		copy(p.header[8:14], "\x80abcde")
		p.setITT(7)
	})
	return p
}

const (
	security    = byte(stageSecurity) << 2
	operational = byte(stageOperational) << 2
	toOps       = flagTransit | byte(stageOperational)
	toFull      = flagTransit | byte(stageFullFeature)
)

const who = "InitiatorName=iqn.2024-01.test:me TargetName=" + testName + " SessionType=Normal "

// login logs in with the given operational keys and returns their answers.
func (c *client) login(names, text string) string {
	c.t.Helper()
	c.send(c.loginPDU(security|toOps, names+"AuthMethod=None"))
	c.wantLogin(0)
	c.send(c.loginPDU(operational|toFull, text))
	return strings.ReplaceAll(strings.TrimSuffix(string(c.wantLogin(0).data), "\x00"), "\x00", " ")
}

func (c *client) wantLogin(status loginStatus) *pdu {
	c.t.Helper()
	p := c.want(opLoginResp)
	if got := loginStatus(binary.BigEndian.Uint16(p.header[36:])); got != status {
		c.t.Fatalf("login status %04X, want %04X", got, status)
	}
	return p
}

// result is how a command ended, seen from the initiator.
type result struct {
	status, response uint8
	data             []byte
	sense            mmc.Sense
	flags            uint8 // residual flags
	residual         uint32
}

// finish collects data and status of a command.
func (c *client) finish() result {
	c.t.Helper()
	var r result
	for {
		p, err := c.read()
		if err != nil {
			c.t.Fatal(err)
		}
		c.mu.Lock()
		c.pdus = slices.Insert(c.pdus, 0, p)
		c.mu.Unlock()
		if p.opcode() == opDataIn {
			c.want(opDataIn)
			if int(p.bufferOffset()) != len(r.data) {
				c.t.Errorf("data at %d, should be at %d", p.bufferOffset(), len(r.data))
			}
			r.data = append(r.data, p.data...)
			if p.flags()&1 == 0 {
				continue
			}
		} else {
			c.want(opSCSIResponse)
			r.response = p.header[2]
			if len(p.data) > 0 {
				r.sense = mmc.Sense(p.data[2:])
			}
		}
		r.status = p.header[3]
		r.flags = p.flags() & 0x06
		r.residual = p.u32(44)
		return r
	}
}

// do sends a command and returns its end.
func (c *client) do(cdb []byte, change ...func(*pdu)) result {
	c.t.Helper()
	c.send(c.command(cdb, change...))
	return c.finish()
}

// wantSense demands CHECK CONDITION.
func (r result) wantSense(t testing.TB, want condition) {
	t.Helper()
	if got := (condition{r.sense.Key(), r.sense.ASC(), r.sense.ASCQ()}); r.status != statusCheckCondition || got != want {
		t.Errorf("status %02X, sense %v, want %v", r.status, got, want)
	}
}

func (r result) wantGood(t testing.TB) {
	t.Helper()
	if r.status != statusGood || r.response != 0 {
		t.Errorf("status %02X, response %02X, sense % x", r.status, r.response, r.sense)
	}
}

// drive is a drive that a test plays.
type drive struct {
	execute func(cmd *mmc.Command) error

	mu    sync.Mutex
	heard []string // opcodes
}

func (d *drive) Execute(_ context.Context, cmd *mmc.Command) error {
	d.mu.Lock()
	d.heard = append(d.heard, cmd.Opcode().String())
	d.mu.Unlock()
	if d.execute == nil {
		cmd.Resid = 0
		return nil
	}
	return d.execute(cmd)
}

func (d *drive) Close() error { return nil }

func (d *drive) said() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := strings.Join(d.heard, ",")
	d.heard = nil
	return s
}

var (
	testUnitReady = []byte{0, 0, 0, 0, 0, 0}
	inquiry       = []byte{0x12, 0, 0, 0, 96, 0}
)

func read10(lba uint32, n uint16) []byte  { return block10(0x28, lba, n) }
func write10(lba uint32, n uint16) []byte { return block10(0x2a, lba, n) }

func block10(op byte, lba uint32, n uint16) []byte {
	c := make([]byte, 10)
	c[0] = op
	binary.BigEndian.PutUint32(c[2:], lba)
	binary.BigEndian.PutUint16(c[7:], n)
	return c
}
