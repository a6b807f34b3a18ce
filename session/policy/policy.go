package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// Policy says when a disc commits. An explicit order ('burnfs sync') always
// does. The zero value never commits by itself.
type Policy struct {
	Umount bool          // when it is unmounted
	Sync   bool          // when the root directory is fsynced, as 'sync DIR' does
	Idle   time.Duration // after so long without a change or an open writer; 0 never
	Every  time.Duration // so long after the first change that waits; 0 never
	Size   int64         // when so many bytes of new data wait; 0 never
}

// Default is the policy of a mount that says nothing.
func Default() Policy { return Policy{Umount: true, Sync: true} }

// Automatic tells whether any rule commits without somebody asking.
func (p Policy) Automatic() bool { return p.Idle > 0 || p.Every > 0 || p.Size > 0 }

// The least values. A session is planned, burned, closed and read back, which
// takes seconds at best, and takes room besides its data that is gone for good
// on media that can be written once.
const (
	MinIdle  = time.Second      // shorter than the pauses between two files of one cp(1)
	MinEvery = time.Minute      // sessions would follow one another without end
	MinSize  = int64(1_000_000) // less than a session costs besides its data
)

// separator of rules: a comma ends a mount option.
const separator = "+"

// Parse reads rules joined by plus signs, such as "umount+sync+idle:10m". What
// is not named is off; "none" alone turns everything off. The error says what is
// wrong and what is right.
func Parse(s string) (Policy, error) {
	var p Policy
	if s == "none" {
		return p, nil
	}
	for rule := range strings.SplitSeq(s, separator) {
		name, value, _ := strings.Cut(rule, ":")
		var err error
		switch name {
		case "umount":
			p.Umount = true
		case "sync":
			p.Sync = true
		case "idle":
			p.Idle, err = duration(rule, value, MinIdle, "programs that write one file after another pause as long")
		case "every":
			p.Every, err = duration(rule, value, MinEvery, "burning and reading back a session takes about as long, and each costs room on the disc besides its data")
		case "size":
			p.Size, err = size(rule, value)
		case "none":
			err = fmt.Errorf("%q stands alone: it means that nothing but 'burnfs sync' burns", rule)
		default:
			err = fmt.Errorf("%q is no rule; they are umount, sync, idle:TIME, every:TIME, size:BYTES, joined by %q, or none", rule, separator)
		}
		if err == nil && (name == "umount" || name == "sync") && rule != name {
			err = fmt.Errorf("%q: %s takes no value", rule, name)
		}
		if err != nil {
			return Policy{}, err
		}
	}
	return p, nil
}

func duration(rule, value string, least time.Duration, why string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q needs a time such as 90s, 10m or 1h30m", rule)
	case d < least:
		return 0, fmt.Errorf("%q: less than %s is refused, because %s", rule, short(least), why)
	}
	return d, nil
}

func size(rule, value string) (int64, error) {
	n, err := humanize.ParseBytes(value)
	switch {
	case err != nil || n > 1<<62:
		return 0, fmt.Errorf("%q needs a size such as 700MB, 4G or 4GiB", rule)
	case int64(n) < MinSize:
		return 0, fmt.Errorf("%q: less than %s is refused, because a session costs as much besides its data", rule, humanize.Bytes(uint64(MinSize)))
	}
	return int64(n), nil
}

// Add is p with the rules of q as well; of two values of one rule the later one
// counts.
func (p Policy) Add(q Policy) Policy {
	p.Umount, p.Sync = p.Umount || q.Umount, p.Sync || q.Sync
	if q.Idle > 0 {
		p.Idle = q.Idle
	}
	if q.Every > 0 {
		p.Every = q.Every
	}
	if q.Size > 0 {
		p.Size = q.Size
	}
	return p
}

// String is the policy as Parse reads it.
func (p Policy) String() string {
	var rules []string
	if p.Umount {
		rules = append(rules, "umount")
	}
	if p.Sync {
		rules = append(rules, "sync")
	}
	rules = append(rules, p.automatic()...)
	if len(rules) == 0 {
		return "none"
	}
	return strings.Join(rules, separator)
}

// automatic lists the rules that Watcher looks at.
func (p Policy) automatic() []string {
	return slices.DeleteFunc([]string{p.idle(), p.every(), p.size()}, func(s string) bool { return s == "" })
}

func (p Policy) idle() string {
	if p.Idle == 0 {
		return ""
	}
	return "idle:" + short(p.Idle)
}

func (p Policy) every() string {
	if p.Every == 0 {
		return ""
	}
	return "every:" + short(p.Every)
}

func (p Policy) size() string {
	if p.Size == 0 {
		return ""
	}
	// Whole where possible, so that what is read back is the same.
	n := uint64(p.Size)
	for i, unit := range []uint64{1e12, 1e9, 1e6, 1 << 30, 1 << 20} {
		if n%unit == 0 {
			return fmt.Sprintf("size:%d%s", n/unit, []string{"TB", "GB", "MB", "GiB", "MiB"}[i])
		}
	}
	return fmt.Sprintf("size:%d", n)
}

// short is 10m instead of 10m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Warn says what a policy will do to a disc whose sessions cost so many bytes
// besides their data and that has so many left; empty if nothing is remarkable.
// The rules are legal, but a person may not have thought of it.
func (p Policy) Warn(cost, free int64) string {
	if cost <= 0 || free <= 0 {
		return ""
	}
	sessions := free / cost
	for _, r := range []struct {
		rule string
		d    time.Duration
	}{{p.every(), p.Every}, {p.idle(), p.Idle}} {
		if r.rule == "" {
			continue
		}
		if full := r.d * time.Duration(min(sessions, 1<<20)); full < soon {
			return fmt.Sprintf("commit=%s: each session takes about %s of the disc besides its data, so that steady small changes fill it with %d sessions in %s; longer times waste less",
				r.rule, humanize.Bytes(uint64(cost)), sessions, short(full.Round(time.Minute)))
		}
	}
	if p.Size > 0 && p.Size < cost {
		return fmt.Sprintf("commit=%s: each session takes about %s of the disc besides its data, more than the data itself; a larger size wastes less",
			p.size(), humanize.Bytes(uint64(cost)))
	}
	return ""
}

// soon is how fast a disc may fill up with sessions before that is worth a word.
const soon = 24 * time.Hour
