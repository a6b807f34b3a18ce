package policy

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
)

// Look is what a Watcher has to know of a disc from time to time.
type Look struct {
	// Seq grows with every change.
	Seq uint64
	// Writers is how many files are open for writing.
	Writers int
	// NewBytes is an upper bound of the new data that waits.
	NewBytes int64
	// Busy: a commit runs, or an interrupted one is brought to its end.
	Busy bool
	// Commits is how many commits have succeeded, by whomever.
	Commits int
	// Failures is how many have failed since, and Touched how many of these may
	// have left something on the disc.
	Failures, Touched int
}

// Disc is what is watched.
type Disc interface {
	// Look is quick and waits for nothing.
	Look() Look
	// Waiting is what really waits to be burned: whether there is anything, and
	// the bytes of new data in it. It may take a moment.
	Waiting() (any bool, bytes int64)
	// Commit burns it.
	Commit(ctx context.Context, why string) error
}

// poll is how often a disc is looked at.
const poll = time.Second

// tries is how many failures in a row that left something on the disc are
// followed by one more automatic attempt.
const tries = 2

// pause is how long after that many failures in a row nothing is tried.
func pause(failures int) time.Duration {
	const first, most = time.Minute, 6 * time.Hour
	d := first
	for range failures - 1 {
		if d *= 4; d >= most {
			return most
		}
	}
	return d
}

// Watcher commits a disc as a policy says.
type Watcher struct {
	policy Policy
	disc   Disc
	log    *slog.Logger

	mu         sync.Mutex
	seq        uint64    // the last change seen
	quiet      time.Time // since when nothing changed and nothing was open for writing
	since      time.Time // when the first waiting change was seen; zero: nothing waits
	commits    int       // seen
	failures   int       // seen
	held       time.Time // no attempt before this
	stopped    bool      // no attempt before somebody's commit succeeds
	sizeAsked  time.Time // when Waiting was last asked for its bytes
	committing bool
}

// New is a watcher that begins with Run.
func New(p Policy, d Disc, log *slog.Logger) *Watcher {
	now, look := time.Now(), d.Look()
	w := &Watcher{policy: p, disc: d, log: log, quiet: now, seq: look.Seq, commits: look.Commits}
	if waits, _ := d.Waiting(); waits {
		w.since = now
	}
	return w
}

// Run watches until ctx ends. A commit that runs then is finished first.
func (w *Watcher) Run(ctx context.Context) {
	if !w.policy.Automatic() {
		return
	}
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if ctx.Err() != nil { // a commit may have ended after that
			return
		}
		if rule := w.met(); rule != "" {
			w.commit(context.WithoutCancel(ctx), rule)
		}
	}
}

// met looks at the disc and returns the rule that is met now, "" for none.
func (w *Watcher) met() string {
	look := w.disc.Look()
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.see(now, look)
	due, rule := w.due(look)
	if look.Busy || rule == "" || now.Before(due) {
		return ""
	}
	// What was seen to change may have been taken back since.
	if rule == w.policy.size() {
		if now.Sub(w.sizeAsked) < 10*poll {
			return ""
		}
		w.sizeAsked = now
	}
	switch waits, bytes := w.disc.Waiting(); {
	case !waits:
		w.since = time.Time{}
		return ""
	case rule == w.policy.size() && bytes < w.policy.Size:
		return "" // data of open files that have no name any more
	}
	return rule
}

// see takes note of what happened since the last look. The caller holds mu.
func (w *Watcher) see(now time.Time, look Look) {
	if look.Seq != w.seq {
		w.seq, w.quiet = look.Seq, now
		if w.since.IsZero() {
			w.since = now
		}
	}
	if look.Writers > 0 {
		w.quiet = now
	}
	if look.Commits != w.commits {
		w.commits, w.failures, w.stopped, w.held = look.Commits, 0, false, time.Time{}
		w.since = time.Time{}
		if waits, _ := w.disc.Waiting(); waits {
			w.since = now
		}
	}
	if look.Failures > w.failures {
		w.held = now.Add(pause(look.Failures))
		if look.Touched >= tries && !w.stopped {
			w.stopped = true
			w.log.Error("no commit is begun automatically any more: the last ones failed and may have used up room on the disc; everything stays staged; see 'burnfs status' for the reason, and burn with 'burnfs sync' when it is dealt with")
		}
	}
	w.failures = look.Failures
}

// due is when which rule is met, if nothing else happens; rule is empty if none
// will be. The caller holds mu.
func (w *Watcher) due(look Look) (at time.Time, rule string) {
	if w.since.IsZero() || w.stopped {
		return time.Time{}, ""
	}
	consider := func(t time.Time, r string) {
		if rule == "" || t.Before(at) {
			at, rule = t, r
		}
	}
	if w.policy.Size > 0 && look.NewBytes >= w.policy.Size {
		consider(w.since, w.policy.size())
	}
	if w.policy.Every > 0 {
		consider(w.since.Add(w.policy.Every), w.policy.every())
	}
	if w.policy.Idle > 0 && look.Writers == 0 {
		consider(w.quiet.Add(w.policy.Idle), w.policy.idle())
	}
	if rule != "" && at.Before(w.held) {
		at = w.held
	}
	return at, rule
}

// commit burns. Whether it worked is seen at the next look.
func (w *Watcher) commit(ctx context.Context, rule string) {
	w.set(true)
	defer w.set(false)
	if err := w.disc.Commit(ctx, rule); err != nil {
		w.log.Warn("an automatic commit failed; everything stays staged", "rule", rule, "error", err)
	}
}

func (w *Watcher) set(committing bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.committing = committing
}

// Status is what the watcher is about to do.
type Status struct {
	// Due is when the next automatic commit begins if nothing changes until
	// then; zero if that is not a matter of time.
	Due time.Time
	// Rule is what it will be due by.
	Rule string
	// Text says the same for people, and what an automatic commit waits for.
	Text string
}

// Status is the state at this moment. It does not wait for a commit.
func (w *Watcher) Status() Status {
	if !w.policy.Automatic() {
		return Status{Text: "none by itself"}
	}
	look := w.disc.Look()
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.see(now, look)
	due, rule := w.due(look)
	switch {
	case w.committing || look.Busy:
		return Status{Text: "being made"}
	case w.since.IsZero():
		return Status{Text: "none, nothing is pending"}
	case w.stopped:
		return Status{Text: fmt.Sprintf("none: %d in a row failed and may have used up room on the disc. Deal with the last error, then burn with 'burnfs sync'", look.Failures)}
	case rule == "":
		return Status{Text: "not yet: " + w.missing(look)}
	}
	st := Status{Due: due, Rule: rule}
	left := max(due.Sub(now), 0).Round(time.Second)
	st.Text = fmt.Sprintf("in %s by %s", short(left), rule)
	if due.Equal(w.held) {
		st.Text += fmt.Sprintf(", a pause after %d failed", look.Failures)
	} else if rule == w.policy.idle() {
		st.Text += ", if nothing changes until then"
	}
	return st
}

// missing says what has to happen before a rule is met. The caller holds mu.
func (w *Watcher) missing(look Look) string {
	switch {
	case w.policy.Idle > 0 && look.Writers > 0:
		return fmt.Sprintf("%s waits for files open for writing: %d", w.policy.idle(), look.Writers)
	case w.policy.Size > 0:
		return fmt.Sprintf("%s waits for %s more of new data", w.policy.size(), humanize.Bytes(uint64(max(w.policy.Size-look.NewBytes, 0))))
	}
	return "no rule is met"
}
