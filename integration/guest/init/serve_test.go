//go:build linux

package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"burnfs/integration/guest/exchange"
)

func TestItDoesNothingOnAHost(t *testing.T) {
	program := filepath.Join(t.TempDir(), "init")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, arg0 := range []string{"init", serveArg} {
		cmd := &exec.Cmd{Path: program, Args: []string{arg0}}
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "nothing anywhere else") {
			t.Errorf("as %s: %v, %s", arg0, err, out)
		}
	}
}

// guest is the other end of a server's port.
type guest struct {
	t     *testing.T
	port  net.Conn
	ended chan error
}

func startServer(t *testing.T) *guest {
	ours, theirs := net.Pipe()
	g := &guest{t, ours, make(chan error, 1)}
	go func() { g.ended <- serve(theirs) }()
	if err := ours.SetDeadline(time.Now().Add(5 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	if f := g.read(); f.Kind != exchange.Ready {
		t.Fatalf("the server begins with %+v", f)
	}
	return g
}

func (g *guest) read() exchange.Frame {
	g.t.Helper()
	f, err := exchange.Read(g.port)
	if err != nil {
		g.t.Fatal(err)
	}
	return f
}

func (g *guest) write(kind exchange.Kind, payload []byte) {
	g.t.Helper()
	if err := exchange.Write(g.port, kind, payload); err != nil {
		g.t.Fatal(err)
	}
}

// exit reads until the script's end.
func (g *guest) exit() (output string, code int, timedOut bool) {
	g.t.Helper()
	for {
		f := g.read()
		if f.Kind == exchange.Output {
			output += string(f.Payload)
			continue
		}
		code, timedOut, err := exchange.ParseExit(f.Payload)
		if f.Kind != exchange.Exit || err != nil {
			g.t.Fatalf("%+v: %v", f, err)
		}
		return output, code, timedOut
	}
}

func TestScripts(t *testing.T) {
	g := startServer(t)
	pid := filepath.Join(t.TempDir(), "pid")
	for _, test := range []struct {
		reason, script string
		limit          time.Duration
		output         string
		code           int
		timedOut       bool
	}{
		{"it says something and succeeds", "echo a; echo b >&2", time.Minute, "a\nb\n", 0, false},
		{"it fails", "exit 3", time.Minute, "", 3, false},
		{"a signal ends it", "kill -9 $$", time.Minute, "", 137, false},
		{"its time is up", "echo a; trap '' TERM; sleep 100; echo b", time.Second, "a\n", 137, true},
		{"the children of a late one go, too", "sleep 100 | sleep 100", time.Second, "", 137, true},
		{"what it leaves behind keeps its output open", "sleep 100 & echo $! >" + pid + "; echo a", time.Minute, "a\n", 0, false},
		{"the output is longer than a pipe", "head -c 200000 /dev/zero | tr '\\0' x", time.Minute, strings.Repeat("x", 200000), 0, false},
	} {
		began := time.Now()
		g.write(exchange.Run, exchange.RunPayload(test.limit, test.script))
		output, code, timedOut := g.exit()
		if output != test.output || code != test.code || timedOut != test.timedOut {
			t.Errorf("%s: %.100q, %d, %v", test.reason, output, code, timedOut)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("%s: took %v", test.reason, took)
		}
	}
	left, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("kill", strings.TrimSpace(string(left))).CombinedOutput(); err != nil {
		t.Errorf("the daemon of a script ended with it: %v, %s", err, out)
	}

	g.write(exchange.PowerOff, nil)
	if err := <-g.ended; err != nil {
		t.Error(err)
	}
}

func TestTheHostKills(t *testing.T) {
	g := startServer(t)
	g.write(exchange.Run, exchange.RunPayload(time.Hour, "echo a; sleep 100"))
	if f := g.read(); string(f.Payload) != "a\n" {
		t.Fatalf("%+v", f)
	}
	g.write(exchange.Kill, nil)
	if _, code, timedOut := g.exit(); code != 137 || !timedOut {
		t.Error(code, timedOut)
	}
	// One that comes too late is for no script.
	g.write(exchange.Kill, nil)
	g.write(exchange.Run, exchange.RunPayload(time.Hour, "echo b"))
	if output, code, timedOut := g.exit(); output != "b\n" || code != 0 || timedOut {
		t.Error(output, code, timedOut)
	}
}

func TestTheServerEndsWithTheHost(t *testing.T) {
	g := startServer(t)
	g.write(exchange.Run, exchange.RunPayload(time.Hour, "sleep 100"))
	g.port.Close()
	select {
	case err := <-g.ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("it still serves")
	}
}
