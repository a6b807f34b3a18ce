package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/mmc/emu"
)

func TestServe(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	ctx, stop := context.WithCancel(t.Context())
	printed, out := io.Pipe()
	orders, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := serve(ctx, "127.0.0.1:0", emu.CDR, []string{one, two}, orders, out, slog.New(slog.DiscardHandler))
		ended <- err
		out.Close()
	}()
	lines := bufio.NewScanner(printed)
	next := func() string {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("nothing more is printed: %v", lines.Err())
		}
		return lines.Text()
	}
	var port string
	for i, file := range []string{one, two} {
		line := next()
		f := strings.Fields(line)
		if len(f) != 5 || f[0] != fmt.Sprintf("iqn.2024-01.burnfs:disc%d", i) || f[3] != "cd-r" || f[4] != file {
			t.Fatalf("prints %q", line)
		}
		port = f[2]
	}
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, row := range []struct{ order, want string }{
		{"drop", "done: drop"},
		{"what", `"what" is neither drop nor restore`},
		{"restore", "done: restore"},
	} {
		if _, err := io.WriteString(in, row.order+"\n"); err != nil {
			t.Fatal(err)
		}
		if got := next(); got != row.want {
			t.Errorf("%s: %q", row.order, got)
		}
		if row.order == "drop" {
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				t.Error("the connection goes on")
			}
		}
	}
	in.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}

	// The discs are free again, and no kind of disc is made where none is asked for.
	if err := serve(ctx, "127.0.0.1:0", "", []string{one, filepath.Join(dir, "three")}, strings.NewReader(""), io.Discard, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a file that does not exist is served")
	}
}
