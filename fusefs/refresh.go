package fusefs

import (
	"context"
	"errors"

	"bazil.org/fuse"

	"burnfs/session/tree"
)

// refresh is one order to let the kernel forget.
type refresh struct {
	nodes []*tree.Node
	names []tree.StaleName
	done  chan struct{}
}

// Refresh lets the kernel forget what it has cached of nodes - attributes, data,
// targets of symlinks - and what names mean. It is for changes that did not come
// through the mount. When it returns without an error, programs see the tree as it
// is; those that read or have mapped a file go on with its new content.
//
// No handler may call it, nor anybody who holds what a handler waits for: the
// kernel waits for directories that are locked by calls which it has sent us. The
// end of ctx ends the wait, not the work.
func (s *Server) Refresh(ctx context.Context, nodes []*tree.Node, names []tree.StaleName) error {
	r := refresh{nodes, names, make(chan struct{})}
	select {
	case s.refreshes <- r:
	case <-s.done:
		return nil // nothing is cached any more
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-r.done:
	case <-s.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// notify carries orders out, one after the other, until stop is closed.
func (s *Server) notify(l *loop, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case r := <-s.refreshes:
			// Names first: who looks one up anew finds attributes that are new.
			for _, n := range r.names {
				s.forgotten("name", l.invalidateName(n.Dir, n.Name))
			}
			for _, n := range r.nodes {
				s.forgotten("inode", l.invalidateNode(n))
			}
			close(r.done)
		}
	}
}

// forgotten notes what could not be. What the kernel does not have cached is no
// error.
func (s *Server) forgotten(what string, err error) {
	if err != nil && !errors.Is(err, fuse.ErrNotCached) {
		s.log.Warn("the kernel may show what is out of date for a while", "what", what, "cause", err)
	}
}
