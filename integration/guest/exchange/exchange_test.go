package exchange

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestFramesArriveAsSent(t *testing.T) {
	var pipe bytes.Buffer
	if err := Write(&pipe, Run, RunPayload(3*time.Second, "echo a")); err != nil {
		t.Fatal(err)
	}
	if err := Write(&pipe, Exit, ExitPayload(-1, true)); err != nil {
		t.Fatal(err)
	}
	if err := Write(&pipe, Ready, nil); err != nil {
		t.Fatal(err)
	}

	f, err := Read(&pipe)
	if err != nil || f.Kind != Run {
		t.Fatal(f, err)
	}
	if limit, script, err := ParseRun(f.Payload); limit != 3*time.Second || script != "echo a" || err != nil {
		t.Error(limit, script, err)
	}
	f, err = Read(&pipe)
	if err != nil || f.Kind != Exit {
		t.Fatal(f, err)
	}
	if code, timedOut, err := ParseExit(f.Payload); code != -1 || !timedOut || err != nil {
		t.Error(code, timedOut, err)
	}
	if f, err = Read(&pipe); err != nil || f.Kind != Ready || len(f.Payload) != 0 {
		t.Error(f, err)
	}
	if _, err = Read(&pipe); err != io.EOF {
		t.Errorf("the end of the stream is %v", err)
	}
}

func TestBadFrames(t *testing.T) {
	for _, test := range []struct{ reason, in string }{
		{"the stream ends in the head", "\x03\x00"},
		{"the stream ends in the payload", "\x03\x00\x00\x00\x02a"},
		{"longer than any frame", "\x03\xff\xff\xff\xff"},
	} {
		if f, err := Read(strings.NewReader(test.in)); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: %v %v", test.reason, f, err)
		}
	}
	if _, _, err := ParseRun(make([]byte, 7)); err == nil {
		t.Error("a Run without a time was accepted")
	}
	if _, _, err := ParseExit(make([]byte, 4)); err == nil {
		t.Error("an Exit of four bytes was accepted")
	}
	if err := Write(io.Discard, Output, make([]byte, MaxPayload+1)); err == nil {
		t.Error("a frame that is too long was sent")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("\x03\x00\x00\x00\x02ab"))
	f.Fuzz(func(t *testing.T, in []byte) {
		frame, err := Read(bytes.NewReader(in))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := Write(&out, frame.Kind, frame.Payload); err != nil || !bytes.HasPrefix(in, out.Bytes()) {
			t.Errorf("%x became %x: %v", in, out.Bytes(), err)
		}
	})
}
