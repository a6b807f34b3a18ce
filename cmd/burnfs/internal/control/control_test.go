package control

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/cmd/burnfs/internal/mountpoint"
)

type fake struct {
	status  Status
	sync    func(context.Context, func(Progress)) (*Report, error)
	unmount func(context.Context, bool, func(Progress)) (*Report, error)
	discard func(path string, preview bool) (*Discarded, error)
	written []WrittenFile
	// planning is closed when a plan has begun, which then lasts until nobody wants it.
	planning, planned chan struct{}
}

func (f fake) Written(context.Context) []WrittenFile { return f.written }

func (f fake) Status(context.Context) Status { return f.status }
func (f fake) Sync(ctx context.Context, p func(Progress)) (*Report, error) {
	return f.sync(ctx, p)
}
func (f fake) Unmount(ctx context.Context, lazy bool, p func(Progress)) (*Report, error) {
	return f.unmount(ctx, lazy, p)
}

func (f fake) Plan(ctx context.Context) (*Plan, error) {
	if f.planning != nil {
		close(f.planning)
		<-ctx.Done()
		close(f.planned)
		return nil, ctx.Err()
	}
	return &Plan{Session: 3}, nil
}

func (f fake) Discard(_ context.Context, path string, preview bool) (*Discarded, error) {
	return f.discard(path, preview)
}

func serve(t *testing.T, svc Service) (*Server, *Client) {
	t.Helper()
	dir, err := os.MkdirTemp("", "bc") // t.TempDir may be too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s, err := Listen(Address(filepath.Join(dir, "run"), "/mnt"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s.Serve(svc)
	t.Cleanup(func() { s.Close(context.Background()) })
	c, err := Connect(t.Context(), []string{"/nonexistent.sock", s.Address()}, -1)
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func TestStatus(t *testing.T) {
	want := Status{PID: 7, Disc: "/d", MountPoint: "/mnt", State: "staging", Pending: Pending{Files: 3, Bytes: 12}}
	_, c := serve(t, fake{status: want})
	got, err := c.Status(t.Context())
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestSyncStreams(t *testing.T) {
	seen := make(chan string, 16)
	_, c := serve(t, fake{sync: func(_ context.Context, p func(Progress)) (*Report, error) {
		for i := range int64(1000) { // far more than anybody reads
			p(Progress{"burning", i, 1000})
		}
		p(Progress{Phase: "closing"})
		p(Progress{"verifying", 5, 5})
		return &Report{Burned: true, Session: 2, Blocks: 9}, nil
	}})
	rep, err := c.Sync(t.Context(), func(p Progress) { seen <- p.Phase })
	if err != nil || rep == nil || *rep != (Report{Burned: true, Session: 2, Blocks: 9}) {
		t.Fatalf("got %+v, %v", rep, err)
	}
	close(seen)
	var phases []string
	for p := range seen {
		phases = append(phases, p)
	}
	got := strings.Join(phases, " ")
	if !strings.HasSuffix(got, "burning closing verifying") {
		t.Errorf("a phase was skipped: %s", got)
	}
}

// Names are bytes, and none of them may become another on its way.
func TestDiscardPassesAnyName(t *testing.T) {
	const name = "a b/\xff\xfe&preview=1?#%41+"
	_, c := serve(t, fake{discard: func(path string, preview bool) (*Discarded, error) {
		if path != name {
			t.Errorf("path %q", path)
		}
		if preview {
			return &Discarded{Files: 1}, nil
		}
		return nil, failure.New(exitcode.Busy, nil, "open", "", "")
	}})
	if d, err := c.Discard(t.Context(), name, true); err != nil || *d != (Discarded{Files: 1}) {
		t.Errorf("preview: %+v, %v", d, err)
	}
	if _, err := c.Discard(t.Context(), name, false); failure.CodeOf(err) != exitcode.Busy {
		t.Errorf("failure: %v", err)
	}
}

// A plan that nobody waits for any more is given up.
func TestPlanEndsWithItsAsker(t *testing.T) {
	f := fake{planning: make(chan struct{}), planned: make(chan struct{})}
	_, c := serve(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-f.planning
		cancel()
	}()
	if _, err := c.Plan(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-f.planned
	_, c = serve(t, fake{})
	if p, err := c.Plan(t.Context()); err != nil || p.Session != 3 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestFailureTravelsWhole(t *testing.T) {
	sent := failure.New(exitcode.Commit, errors.New("WRITE(10) lba 4711: 3/0C/00"), "what", "data", "next")
	_, c := serve(t, fake{
		sync: func(context.Context, func(Progress)) (*Report, error) { return nil, sent },
		unmount: func(context.Context, bool, func(Progress)) (*Report, error) {
			return nil, errors.New("plain")
		},
	})
	_, err := c.Sync(t.Context(), func(Progress) {})
	got, ok := errors.AsType[*failure.Failure](err)
	if !ok || got.Code != exitcode.Commit || got.What != "what" || got.Data != "data" || got.Next != "next" || got.Cause != sent.Cause {
		t.Errorf("got %+v", err)
	}
	_, err = c.Unmount(t.Context(), false, func(Progress) {})
	if failure.CodeOf(err) != exitcode.General || !strings.Contains(err.Error(), "plain") {
		t.Errorf("an error without a code: %v", err)
	}
}

func TestLazyIsPassed(t *testing.T) {
	var got []bool
	_, c := serve(t, fake{unmount: func(_ context.Context, lazy bool, _ func(Progress)) (*Report, error) {
		got = append(got, lazy)
		return nil, nil
	}})
	for _, lazy := range []bool{false, true} {
		rep, err := c.Unmount(t.Context(), lazy, func(Progress) {})
		if err != nil || rep == nil || rep.Burned {
			t.Errorf("nothing pending: %+v, %v", rep, err)
		}
	}
	if len(got) != 2 || got[0] || !got[1] {
		t.Errorf("lazy arrived as %v", got)
	}
}

// The burn goes on when whoever asked for it goes away, and Close waits for it.
func TestAskerGoesAway(t *testing.T) {
	begun, gone, finished := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s, c := serve(t, fake{sync: func(ctx context.Context, _ func(Progress)) (*Report, error) {
		close(begun)
		<-gone
		if ctx.Err() == nil {
			close(finished)
		}
		return nil, ctx.Err()
	}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	if _, err := c.Sync(ctx, func(Progress) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	close(gone)
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	select {
	case <-finished:
	default:
		t.Error("the work was cancelled, or Close did not wait for it")
	}
}

// The result reaches the asker although the address is given up before it.
func TestHideBeforeResult(t *testing.T) {
	var s *Server
	s, c := serve(t, fake{unmount: func(_ context.Context, _ bool, p func(Progress)) (*Report, error) {
		p(Progress{Phase: PhaseUnmounted})
		s.Hide()
		return &Report{Burned: true}, nil
	}})
	rep, err := c.Unmount(t.Context(), false, func(Progress) {})
	if err != nil || !rep.Burned {
		t.Errorf("got %+v, %v", rep, err)
	}
	if _, err := os.Lstat(s.Address()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	again, err := Listen(s.Address(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("the address is not free: %v", err)
	}
	if err := again.Close(t.Context()); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(filepath.Dir(s.Address()))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Whoever connects before the address is given up gets an answer, however
// close that is.
func TestNobodyIsCutOff(t *testing.T) {
	for range 200 {
		over := make(chan struct{})
		s, _ := serve(t, fake{unmount: func(context.Context, bool, func(Progress)) (*Report, error) {
			<-over
			return &Report{Burned: true}, nil
		}})
		type answer struct {
			rep *Report
			err error
		}
		answers := make(chan answer, 4)
		for range cap(answers) {
			go func() {
				c, err := Connect(t.Context(), []string{s.Address()}, -1)
				if err != nil {
					answers <- answer{nil, err}
					return
				}
				rep, err := c.Unmount(t.Context(), false, func(Progress) {})
				answers <- answer{rep, err}
			}()
		}
		runtime.Gosched()
		s.Hide()
		close(over)
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		for range cap(answers) {
			// Knocking and asking are two connections; the second may come too late.
			if a := <-answers; a.err == nil && !a.rep.Burned || a.err != nil && !errors.Is(a.err, ErrNoDaemon) {
				t.Fatalf("got %+v, %v", a.rep, a.err)
			}
		}
	}
}

// A daemon that is killed in the middle of a stream is told from one that failed.
func TestLost(t *testing.T) {
	dir, err := os.MkdirTemp("", "bc")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	addr := filepath.Join(dir, "s.sock")
	ln, err := net.Listen("unix", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	answers := []string{
		"",
		"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n{\"progress\":{\"phase\":\"burning\"}}\n",
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"progr",
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; i < len(answers); {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 4096)
			if n, _ := conn.Read(buf); n > 0 { // Connect only knocks
				_, _ = conn.Write([]byte(answers[i]))
				i++
			}
			conn.Close()
		}
	})
	c, err := Connect(t.Context(), []string{addr}, -1)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range answers {
		if _, err := c.Unmount(t.Context(), false, func(Progress) {}); !errors.Is(err, ErrLost) {
			t.Errorf("answer %q: %v, want ErrLost", a, err)
		}
	}
	wg.Wait()
}

func TestConnectNobody(t *testing.T) {
	addr := filepath.Join(t.TempDir(), "x.sock")
	if _, err := Connect(t.Context(), []string{addr}, -1); !errors.Is(err, ErrNoDaemon) {
		t.Errorf("got %v", err)
	}
}

func TestListenTwice(t *testing.T) {
	s, _ := serve(t, fake{})
	if _, err := Listen(s.Address(), slog.New(slog.DiscardHandler)); !errors.Is(err, ErrTaken) {
		t.Errorf("got %v, want ErrTaken", err)
	}
}

// A socket that a killed daemon left is taken over.
func TestListenAfterKill(t *testing.T) {
	dir, err := os.MkdirTemp("", "bc")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	addr := Address(filepath.Join(dir, "run"), "/mnt")
	if err := os.Mkdir(filepath.Dir(addr), 0o755); err != nil {
		t.Fatal(err)
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: addr, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	ln.SetUnlinkOnClose(false)
	ln.Close()
	s, err := Listen(addr, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(filepath.Dir(addr)); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("the directory stays open to others: %v, %v", st.Mode(), err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRuntimeDirOfSomebodyElse(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	var de *DirError
	if _, err := Listen(filepath.Join(link, "x.sock"), slog.New(slog.DiscardHandler)); !errors.As(err, &de) {
		t.Errorf("a symbolic link was accepted as runtime directory: %v", err)
	}
}

func TestCandidates(t *testing.T) {
	env := func(k string) string { return map[string]string{"XDG_RUNTIME_DIR": "/run/user/7"}[k] }
	none := func(string) string { return "" }
	base := filepath.Base(Address("", "/mnt"))
	for _, tt := range []struct {
		owner, uid int
		env        func(string) string
		want       []string
		reason     string
	}{
		{7, 7, env, []string{"/run/user/7/burnfs/", "/run/burnfs/", "/tmp/burnfs-7/"}, "my own mount"},
		{7, 0, none, []string{"/run/burnfs/", "/run/user/7/burnfs/", "/tmp/burnfs-7/"}, "root asks for a user's mount"},
		{0, 7, env, []string{"/run/user/7/burnfs/", "/run/burnfs/", "/tmp/burnfs-7/"}, "a user asks for root's"},
		{-1, 7, none, []string{"/tmp/burnfs-7/", "/run/burnfs/", "/run/user/7/burnfs/"}, "already unmounted"},
	} {
		got := Candidates("/mnt", tt.owner, tt.uid, tt.env)
		for i := range got {
			got[i] = strings.TrimSuffix(got[i], base)
		}
		if strings.Join(got, " ") != strings.Join(tt.want, " ") {
			t.Errorf("owner %d, uid %d: %v, want %v (%s)", tt.owner, tt.uid, got, tt.want, tt.reason)
		}
	}
}

func TestLocateNotMounted(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m, mounted, addrs, err := Locate(dir, 0)
	if err != nil || mounted || m != (mountpoint.Mount{Point: dir}) || len(addrs) == 0 {
		t.Errorf("got %+v, %v, %v, %v", m, mounted, addrs, err)
	}
}

// A client that does not read must not keep the daemon for ever.
func TestCloseIsBounded(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	s, c := serve(t, fake{sync: func(context.Context, func(Progress)) (*Report, error) {
		close(begun)
		<-release
		return nil, nil
	}})
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = c.Sync(t.Context(), func(Progress) {}) })
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(release)
	wg.Wait()
}
