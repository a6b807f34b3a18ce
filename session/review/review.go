package review

import (
	"context"
	"iter"

	"burnfs/iso9660"
	"burnfs/iso9660/check"
	"burnfs/mmc/medium"
	"burnfs/session/blocks"
	"burnfs/session/history"
)

// A Place is where volume descriptors are that make a tree.
type Place struct {
	history.Session
	// Head tells that this is block 16 of an overwritable medium, from where the
	// session is read that lies elsewhere. Start is 0 then.
	Head bool
	// Newest tells that no session with a tree follows.
	Newest bool
}

// Places lists what is to be checked, oldest first. Audio sessions are among it; they
// have nothing to check.
func Places(info *medium.Info, sessions []history.Session) []Place {
	places := make([]Place, 0, len(sessions)+1)
	newest := -1
	for i, s := range sessions {
		places = append(places, Place{Session: s})
		if s.Readable {
			newest = i
		}
	}
	for i := max(newest, 0); i < len(places); i++ {
		places[i].Newest = true
	}
	if n := len(sessions); n > 0 && info.Kind == medium.Overwritable && sessions[n-1].Readable && sessions[n-1].Start != 0 {
		head := Place{Session: sessions[n-1], Head: true, Newest: true}
		head.Start = 0
		places = append(places, head)
	}
	return places
}

// Check yields the faults of what is at p. An error comes last, with an empty Finding:
// that of the context, or of a drive that has gone. A place that cannot be checked
// has a finding of the rule check.Session that says why.
func (p *Place) Check(ctx context.Context, r iso9660.BlockReader, opt check.Options) iter.Seq2[check.Finding, error] {
	return func(yield func(check.Finding, error) bool) {
		if p.Audio {
			return
		}
		if f, bad := p.unreadable(); bad {
			yield(f, nil)
			return
		}
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		for f, err := range check.Check(ctx, blocks.GivingUp(r, cancel), p.Start, opt) {
			switch {
			case err != nil && ctx.Err() != nil:
				yield(check.Finding{}, context.Cause(ctx))
				return
			case err != nil:
				f = check.New(check.Session, p.Start+iso9660.FirstDescriptor, "the session cannot be checked: "+err.Error())
			}
			if !yield(f, nil) {
				return
			}
		}
	}
}

// unreadable is the finding of a session without a tree.
func (p *Place) unreadable() (f check.Finding, bad bool) {
	switch {
	case p.Readable:
		return f, false
	case p.Cut && !p.Newest:
		f = check.New(check.InterruptedSession, p.Start, "recording the session was interrupted; a later one shows what it was to hold: "+p.why())
	case p.Cut:
		f = check.New(check.Session, p.Start, "recording the session was interrupted, and no later one makes up for it: "+p.why())
	default:
		f = check.New(check.Session, p.Start+iso9660.FirstDescriptor, "the session cannot be read: "+p.why())
	}
	return f, true
}

func (p *Place) why() string {
	if p.Problem == "" {
		return "it holds no volume descriptors"
	}
	return p.Problem
}
