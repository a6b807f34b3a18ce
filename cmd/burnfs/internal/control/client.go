package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
)

var (
	// ErrNoDaemon: nobody listens at the address.
	ErrNoDaemon = errors.New("no burnfs daemon answers")
	// ErrLost: the daemon ended, or was killed, before it told the result.
	ErrLost = errors.New("the burnfs daemon went away without a result")
)

// Client talks to one daemon.
type Client struct {
	addr string
	http *http.Client
}

// Connect is the first of addrs where a daemon of root, of this user or of
// user owner answers. ErrNoDaemon when there is none.
func Connect(ctx context.Context, addrs []string, owner int) (*Client, error) {
	var reasons error
	for _, a := range addrs {
		c := &Client{addr: a}
		tr := &http.Transport{
			DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, a, owner) },
			DisableKeepAlives: true,
		}
		c.http = &http.Client{Transport: tr}
		conn, err := dial(ctx, a, owner)
		if err == nil {
			conn.Close()
			return c, nil
		}
		if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED) {
			reasons = errors.Join(reasons, err)
		}
	}
	if reasons != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoDaemon, reasons)
	}
	return nil, ErrNoDaemon
}

func dial(ctx context.Context, addr string, owner int) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", addr)
	if err != nil {
		return nil, err
	}
	uid, err := peer(conn.(*net.UnixConn))
	if err == nil && uid != 0 && uid != os.Geteuid() && uid != owner {
		err = fmt.Errorf("%s belongs to user %d", addr, uid)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// Status asks for the state.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var st Status
	err := c.get(ctx, "/v1/status", maxLine, &st)
	return st, err
}

// Written asks for the files that programs have open, or mapped, for writing.
func (c *Client) Written(ctx context.Context) ([]WrittenFile, error) {
	var files []WrittenFile
	err := c.get(ctx, "/v1/written", maxWritten, &files)
	return files, err
}

// maxWritten bounds that answer in bytes: a million handles with long paths.
const maxWritten = 1 << 30

// get decodes the answer to a question into v.
func (c *Client) get(ctx context.Context, path string, limit int64, v any) error {
	resp, err := c.do(ctx, http.MethodGet, path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, limit)).Decode(v); err != nil {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	return nil
}

// Sync commits what is pending and returns when it is verified.
func (c *Client) Sync(ctx context.Context, progress func(Progress)) (*Report, error) {
	return c.stream(ctx, "/v1/sync", progress)
}

// Unmount unmounts, commits and returns when the daemon has let go of the disc.
func (c *Client) Unmount(ctx context.Context, lazy bool, progress func(Progress)) (*Report, error) {
	path := "/v1/unmount"
	if lazy {
		path += "?lazy=1"
	}
	return c.stream(ctx, path, progress)
}

// Discard takes back the changes below path, a name from the root of the mount on,
// or all if it is empty. With preview it only tells which.
func (c *Client) Discard(ctx context.Context, path string, preview bool) (*Discarded, error) {
	q := url.Values{"path": {path}}
	if preview {
		q.Set("preview", "1")
	}
	rep, err := c.stream(ctx, "/v1/discard?"+q.Encode(), func(Progress) {})
	if err != nil {
		return nil, err
	}
	if rep.Discarded == nil {
		return nil, ErrLost
	}
	return rep.Discarded, nil
}

// Plan asks what a commit would burn now.
func (c *Client) Plan(ctx context.Context) (*Plan, error) {
	rep, err := c.stream(ctx, "/v1/plan", func(Progress) {})
	if err != nil {
		return nil, err
	}
	if rep.Plan == nil {
		return nil, ErrLost
	}
	return rep.Plan, nil
}

// maxLine bounds one JSON line in bytes.
const maxLine = 1 << 20

func (c *Client) stream(ctx context.Context, path string, progress func(Progress)) (*Report, error) {
	resp, err := c.do(ctx, http.MethodPost, path)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	sc := bufio.NewScanner(resp.Body)
	sc.Buffer(nil, maxLine)
	for sc.Scan() {
		var e Event
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrLost, err)
		}
		switch {
		case e.Failure != nil:
			return nil, e.Failure
		case e.Done != nil:
			return e.Done, nil
		case e.Progress != nil:
			progress(*e.Progress)
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, errors.Join(ErrLost, sc.Err())
}

func (c *Client) do(ctx context.Context, method, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://burnfs"+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	switch {
	case ctx.Err() != nil:
		if err == nil {
			resp.Body.Close()
		}
		return nil, ctx.Err()
	case err != nil:
		// A daemon that ends in order takes its address away before; one that
		// was killed leaves it.
		if _, serr := os.Lstat(c.addr); errors.Is(serr, os.ErrNotExist) {
			return nil, fmt.Errorf("%w: %w", ErrNoDaemon, err)
		}
		return nil, fmt.Errorf("%w: %w", ErrLost, err)
	case resp.StatusCode != http.StatusOK:
		defer resp.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1024)) // only to make the message richer
		return nil, fmt.Errorf("burnfs daemon: %s: %s", resp.Status, text)
	}
	return resp, nil
}
