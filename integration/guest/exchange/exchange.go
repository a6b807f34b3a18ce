// Package exchange is what a host and the first process of its guest say to
// each other over a virtio-serial port: frames, one script at a time.
//
//	┌──────┬───────────────┬─────────┐
//	│ kind │ length, 4, BE │ payload │
//	└──────┴───────────────┴─────────┘
//
//	host                          guest
//	                      ◄────   Ready    the root is mounted, the network is up
//	Run   time, script    ────►
//	                      ◄────   Output   any number, as the script writes
//	Kill                  ────►            if the host does not want to wait longer
//	                      ◄────   Exit     code, whether its time was up
//	PowerOff              ────►            (as does the end of the stream)
//
// [Config] goes the other way: it lies in the initramfs.
package exchange

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// Kind says what a frame is.
type Kind uint8

// The frames. A Failed instead of a Ready tells in words why the guest cannot
// be used.
const (
	Ready Kind = iota + 1
	Failed
	Run
	Output
	Kill
	Exit
	PowerOff
)

// MaxPayload is the most bytes one frame carries.
const MaxPayload = 1 << 20

// Frame is one message.
type Frame struct {
	Kind    Kind
	Payload []byte
}

// Write sends a frame with one call of w.Write.
func Write(w io.Writer, kind Kind, payload []byte) error {
	if len(payload) > MaxPayload {
		return fmt.Errorf("frame of %d bytes, at most %d fit", len(payload), MaxPayload)
	}
	b := make([]byte, 5, 5+len(payload))
	b[0] = byte(kind)
	binary.BigEndian.PutUint32(b[1:], uint32(len(payload)))
	_, err := w.Write(append(b, payload...))
	return err
}

// Read receives a frame. Its error is io.EOF if the other side ended between
// frames.
func Read(r io.Reader) (Frame, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Frame{}, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > MaxPayload {
		return Frame{}, fmt.Errorf("frame of %d bytes announced, at most %d fit", n, MaxPayload)
	}
	f := Frame{Kind: Kind(head[0]), Payload: make([]byte, n)}
	if _, err := io.ReadFull(r, f.Payload); err != nil {
		return Frame{}, io.ErrUnexpectedEOF
	}
	return f, nil
}

// RunPayload is the payload of a Run: the script's time, then its text.
func RunPayload(limit time.Duration, script string) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(limit)), script...)
}

// ParseRun takes a Run's payload apart.
func ParseRun(p []byte) (limit time.Duration, script string, err error) {
	if len(p) < 8 {
		return 0, "", fmt.Errorf("run: payload of %d bytes", len(p))
	}
	return time.Duration(binary.BigEndian.Uint64(p)), string(p[8:]), nil
}

// ExitPayload is the payload of an Exit: the script's exit status, 128+n when
// signal n ended it, and whether it was killed since its time was up.
func ExitPayload(code int, timedOut bool) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(int32(code)))
	if timedOut {
		return append(b, 1)
	}
	return append(b, 0)
}

// ParseExit takes an Exit's payload apart.
func ParseExit(p []byte) (code int, timedOut bool, err error) {
	if len(p) != 5 {
		return 0, false, fmt.Errorf("exit: payload of %d bytes", len(p))
	}
	return int(int32(binary.BigEndian.Uint32(p))), p[4] != 0, nil
}
