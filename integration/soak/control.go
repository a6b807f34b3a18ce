package soak

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"golang.org/x/sys/unix"
)

// daemon is the control socket of a mount (go doc
// burnfs/cmd/burnfs/internal/control), which tells the phases of a commit
// without the time that it takes to run `burnfs status`.
type daemon struct{ http *http.Client }

// event is a line of a stream, as far as it matters here.
type event struct {
	Progress *struct {
		Phase       string
		Done, Total int64
	}
	Done *struct {
		Burned  bool
		Session int
	}
	Failure json.RawMessage
}

// errCut: the daemon ended without a result.
var errCut = errors.New("the daemon ended before it told the result")

func connect(point string) (*daemon, error) {
	buf := make([]byte, 256)
	n, err := unix.Getxattr(point, "user.burnfs.control", buf)
	if err != nil {
		return nil, fmt.Errorf("the control socket of %s: %w", point, err)
	}
	addr := string(buf[:n])
	tr := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", addr)
		},
		DisableKeepAlives: true,
	}
	return &daemon{http: &http.Client{Transport: tr}}, nil
}

// commit asks for sync or unmount and reports each phase as it begins.
func (d *daemon) commit(what string, phase func(string)) error {
	resp, err := d.http.Post("http://burnfs/v1/"+what, "", nil)
	if err != nil {
		return fmt.Errorf("%w: %w", errCut, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1024)) // to make the message richer
		return fmt.Errorf("%s: %s", resp.Status, text)
	}
	last := ""
	sc := bufio.NewScanner(resp.Body)
	for sc.Scan() {
		var e event
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
			return fmt.Errorf("%w: %w", errCut, err)
		}
		switch {
		case e.Failure != nil:
			return fmt.Errorf("the commit failed: %s", e.Failure)
		case e.Done != nil:
			return nil
		case e.Progress != nil:
			now := e.Progress.Phase
			if now == "verifying" && e.Progress.Done == e.Progress.Total {
				now = "publishing"
			}
			if now != last {
				last = now
				phase(now)
			}
		}
	}
	return errors.Join(errCut, sc.Err())
}
