package iscsi

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"burnfs/mmc"
)

// maxConnections is how many initiators may be connected at a time.
const maxConnections = 64

// maxTargets is how many drives one process presents.
const maxTargets = 256

// Target listens on one address for any number of iSCSI targets in the sense of
// RFC 7143, each with a name and one drive.
type Target struct {
	log      *slog.Logger
	listener net.Listener
	running  sync.WaitGroup // every goroutine of the target

	mu       sync.Mutex // guards all below
	nodes    map[string]*node
	names    []string // of nodes, in the order of Add
	links    map[*link]struct{}
	dropped  bool
	closed   bool
	lastTSIH uint16
}

// node is one iSCSI target: a name, its logical unit, and who is logged in. Its
// sessions are guarded by Target.mu.
type node struct {
	name     string
	unit     *unit
	sessions map[initiatorPort]*session
}

// initiatorPort is what tells the sessions of a target apart (RFC 7143 4.4.3,
// the I_T nexus).
type initiatorPort struct {
	name string
	isid [6]byte
}

// Listen opens a TCP port at addr, such as "127.0.0.1:0", and serves initiators
// from now on. Whoever can connect may use the drives, so addr should be that of
// the loopback interface. log may be nil.
func Listen(addr string, log *slog.Logger) (*Target, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("iSCSI target: %w", err)
	}
	return serve(l, log), nil
}

// serve makes a target of a listener, which it takes over.
func serve(l net.Listener, log *slog.Logger) *Target {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	t := &Target{log: log, listener: l, nodes: make(map[string]*node), links: make(map[*link]struct{})}
	t.running.Go(t.accept)
	return t
}

// Add presents a drive as logical unit 0 of a target with the given name, an
// iSCSI name of RFC 7143 4.2.7 such as "iqn.2024-01.example:cd". The drive stays
// the caller's, who closes it after the target.
func (t *Target) Add(iqn string, drive mmc.Transport) error {
	if !validName(iqn) {
		return fmt.Errorf("iSCSI target: %q is no iSCSI name in lower case", iqn)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return fmt.Errorf("iSCSI target: %w", net.ErrClosed)
	case t.nodes[iqn] != nil:
		return fmt.Errorf("iSCSI target: there is a target %s already", iqn)
	case len(t.nodes) == maxTargets:
		return fmt.Errorf("iSCSI target: there are %d targets already", maxTargets)
	}
	t.nodes[iqn] = &node{name: iqn, unit: newUnit(iqn, drive), sessions: make(map[initiatorPort]*session)}
	t.names = append(t.names, iqn)
	return nil
}

// validName checks form and length of an iSCSI name (RFC 7143 4.2.7.1, 4.2.7.2).
func validName(s string) bool {
	prefix, rest, ok := strings.Cut(s, ".")
	if !ok || rest == "" || len(s) > 223 || prefix != "iqn" && prefix != "eui" && prefix != "naa" {
		return false
	}
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == ':') {
			return false
		}
	}
	return true
}

// Addr returns the address that initiators connect to.
func (t *Target) Addr() net.Addr { return t.listener.Addr() }

// Drop cuts every connection and refuses new ones until [Target.Restore]: the
// cable is pulled. A command that a drive executes runs to its end; commands that
// wait are forgotten.
func (t *Target) Drop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dropped = true
	for l := range t.links {
		l.cut()
	}
}

// Restore lets initiators log in again after [Target.Drop].
func (t *Target) Restore() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dropped = false
}

// Close cuts every connection, stops listening and waits for the commands that
// drives execute. Afterwards the drives may be closed.
func (t *Target) Close() error {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil
	}
	t.closed = true
	for l := range t.links {
		l.cut()
	}
	t.mu.Unlock()
	err := t.listener.Close()
	t.running.Wait()
	if err != nil {
		return fmt.Errorf("iSCSI target: %w", err)
	}
	return nil
}

// accept takes connections until the listener is closed.
func (t *Target) accept() {
	for {
		conn, err := t.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Such as too many open files: it passes, and until then Accept fails at once,
			// again and again.
			t.log.Warn("iSCSI target: a connection was lost before it began", "err", err)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		t.start(conn)
	}
}

// start serves a connection, unless none is wanted.
func (t *Target) start(conn net.Conn) {
	l := newLink(conn)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.dropped || len(t.links) >= maxConnections {
		l.cut()
		return
	}
	t.links[l] = struct{}{}
	t.running.Go(func() {
		t.serve(l)
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.links, l)
	})
}

// serve is the life of a connection.
func (t *Target) serve(l *link) {
	log := t.log.With("initiator", l.conn.RemoteAddr())
	var s *session
	in := &login{link: l}
	err := in.run(func(in *login) (uint16, error) {
		var err error
		s, err = t.enter(in, log)
		if err != nil {
			return 0, err
		}
		return s.tsih, nil
	})
	if err == nil {
		log.Info("iSCSI target: logged in", "name", in.initiator, "target", in.target, "discovery", in.discovery)
		err = s.run()
	}
	if s != nil {
		s.end()
		t.leave(s)
	}
	log.Info("iSCSI target: connection ended", "name", in.initiator, "target", in.target, "cause", err)
	_ = l.conn.Close() // the initiator may have done so before
}

// enter makes the session that a login asks for. An initiator port that is
// logged in already loses its old session (RFC 7143 6.3.5 session reinstatement).
func (t *Target) enter(in *login, log *slog.Logger) (*session, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.dropped {
		return nil, refuse(loginUnavailable, "the target is not available")
	}
	var n *node
	if !in.discovery {
		if n = t.nodes[in.target]; n == nil {
			return nil, refuse(loginTargetNotFound, "there is no target %.230q", in.target)
		}
	}
	if t.lastTSIH++; t.lastTSIH == 0 { // 0 asks for a new session
		t.lastTSIH++
	}
	s := newSession(t, n, in, t.lastTSIH, log)
	if n != nil {
		if old := n.sessions[s.port]; old != nil {
			old.link.cut()
		}
		n.sessions[s.port] = s
	}
	return s, nil
}

// leave forgets a session.
func (t *Target) leave(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.node != nil && s.node.sessions[s.port] == s {
		delete(s.node.sessions, s.port)
	}
}

// loggedIn returns the sessions of a target.
func (t *Target) loggedIn(n *node) []*session {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*session, 0, len(n.sessions))
	for _, s := range n.sessions {
		all = append(all, s)
	}
	return all
}

// targets lists the names for SendTargets.
func (t *Target) targets() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.names...)
}
