package fsck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"burnfs/session/commit"
	"burnfs/session/extent"
	"burnfs/session/journal"
	"burnfs/session/staging"
	"burnfs/session/stored"
	"burnfs/session/tree"
)

// Options says how deep to look.
type Options struct {
	// Disc is what the staged changes build upon, nil if it is not at hand.
	Disc *Disc
}

// Disc is the disc that a store belongs to.
type Disc struct {
	// Base is the session that the journal names.
	Base tree.Base
	// Bytes is how much of the disc can be read.
	Bytes int64
}

// Check checks the store that r looks at. The error is that of ctx; everything else is a
// finding.
func Check(ctx context.Context, r *staging.ReadOnly, opt Options) (*Report, error) {
	c := &checker{ctx: ctx, store: r, report: &Report{Findings: []Finding{}}}
	if err := c.run(opt); err != nil {
		return nil, err
	}
	return c.report, nil
}

// Dir is Check of the store in a directory without its disc. The errors are also those of
// staging.OpenReadOnly.
func Dir(ctx context.Context, dir string) (_ *Report, err error) {
	r, err := staging.OpenReadOnly(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return Check(ctx, r, Options{})
}

type checker struct {
	ctx    context.Context
	store  *staging.ReadOnly
	over   *stored.Overlay
	report *Report
}

func (c *checker) damage(f Finding) {
	f.Severity = Damage
	c.report.add(f)
}

func (c *checker) doubt(f Finding) {
	f.Severity = Doubtful
	c.report.add(f)
}

func (c *checker) run(opt Options) error {
	if _, err := c.store.Identity(); errors.Is(err, staging.ErrVersion) {
		c.damage(Finding{Kind: KindVersion, Text: err.Error(), Means: "The changes in it are not touched. Use the version of burnfs that wrote them"})
		return nil
	}
	c.directory()
	whole := c.database()
	over, err := stored.Load(c.ctx, c.store)
	if err != nil {
		return err
	}
	c.over = over
	c.identity()
	if over.LogErr != nil && whole {
		c.damage(Finding{Kind: KindLog, Text: over.LogErr.Error(), Means: meansMount})
	}
	c.problems(whole)
	if err := c.ranges(); err != nil {
		return err
	}
	c.journal()
	if !whole || len(over.Problems) > 0 {
		return nil // what is missing would be found missing again, in other words
	}
	c.counters()
	return c.names(opt.Disc)
}

// directory looks at the files of the store.
func (c *checker) directory() {
	entries, err := c.store.Entries()
	if err != nil {
		c.damage(Finding{Kind: KindUnknown, Text: fmt.Sprintf("the directory %s cannot be read whole: %v", c.store.Dir(), err), Means: "Check the local disk and the permissions"})
	}
	const unknown = "burnfs does not touch it. Look what it is and whether somebody needs it, then move it elsewhere"
	for _, e := range entries {
		switch {
		case !e.Known:
			c.doubt(Finding{Kind: KindUnknown, Name: e.Name, Text: fmt.Sprintf("%q in %s is not a file of burnfs", e.Name, c.store.Dir()), Means: unknown})
		case e.Segment && e.Size > staging.SegmentSize:
			c.doubt(Finding{Kind: KindLog, Name: e.Name, Text: fmt.Sprintf("%s has %d bytes, more than a part of the log can have", e.Name, e.Size), Means: meansNothing})
		}
	}
	for dir, known := range map[string][]string{
		c.store.CommitDir(): {journal.PlanName},
		filepath.Join(c.store.CommitDir(), journal.PlanName): commit.Files(),
	} {
		list, err := os.ReadDir(dir)
		if err != nil {
			continue // whether it is needed, the journal says
		}
		for _, e := range list {
			if !slices.Contains(known, e.Name()) {
				c.doubt(Finding{Kind: KindUnknown, Name: e.Name(), Text: fmt.Sprintf("%q in %s is not a file of burnfs", e.Name(), dir), Means: unknown})
			}
		}
	}
}

// database looks at the structure of the database and tells whether it is whole.
func (c *checker) database() (whole bool) {
	whole = true
	for err := range c.store.Structure() {
		if err == nil {
			continue
		}
		whole = false
		c.damage(Finding{
			Kind: KindDatabase, Text: fmt.Sprintf("the database of staged changes is damaged: %v", err),
			Means: "Names, attributes or places of some files may be lost, and the disc cannot be mounted with these changes. " + rescue + ", or restore the directory from a backup",
		})
		if c.ctx.Err() != nil || len(c.report.Findings) >= MaxFindings {
			break
		}
	}
	return whole
}

func (c *checker) identity() {
	o := c.over
	const means = "The disc is not recognised as the one of these changes. Restore the file from a backup, or copy the changes out with `burnfs staging export`, naming the directory"
	switch base := filepath.Base(c.store.Dir()); {
	case o.IdentityErr != nil:
		c.damage(Finding{Kind: KindIdentity, Text: o.IdentityErr.Error(), Means: means})
	case o.LogUUID != "" && o.LogUUID != o.Identity.UUID:
		c.damage(Finding{Kind: KindIdentity, Text: fmt.Sprintf("disc.json names disc %q and the database disc %q", o.Identity.UUID, o.LogUUID), Means: means})
	case base != o.Identity.UUID:
		c.doubt(Finding{Kind: KindIdentity, Text: fmt.Sprintf("the directory is called %q and holds the staging of disc %s", base, o.Identity.UUID),
			Means: "Only a directory with the disc's own name is found when the disc is mounted; a copy elsewhere can be exported"})
	case !slices.Contains([]staging.Kind{staging.KindBlank, staging.KindBurnfs, staging.KindForeign}, o.Identity.Kind):
		c.damage(Finding{Kind: KindIdentity, Text: fmt.Sprintf("disc.json says that the disc is %q, which no disc is", o.Identity.Kind), Means: means})
	}
}

// problems reports records that cannot be read.
func (c *checker) problems(whole bool) {
	for _, p := range c.over.Problems {
		switch {
		case p.Name != "" || p.Parent != 0:
			c.damage(Finding{Kind: KindName, Parent: p.Parent, Name: p.Name, Text: fmt.Sprintf("the record of the name %q in directory %s cannot be read: %v", p.Name, c.path(p.Parent), p.Err), Means: meansMount})
		case p.Ino != 0:
			c.damage(Finding{Kind: KindInode, Ino: p.Ino, Path: c.path(p.Ino), Text: fmt.Sprintf("the record of %s cannot be read: %v", c.path(p.Ino), p.Err),
				Means: "The content of that file cannot be found any more. " + meansMount})
		case whole: // else the structure has said it
			c.damage(Finding{Kind: KindDatabase, Text: p.Err.Error(), Means: meansMount})
		}
	}
	c.report.More += c.over.More
}

// path is what a user calls inode ino.
func (c *checker) path(ino uint64) string {
	p, _ := c.over.Path(ino)
	return p
}

// owned is a range of the log with the inode that has it.
type owned struct {
	staging.Range
	ino uint64
}

// ranges looks whether the log has what the records name.
func (c *checker) ranges() error {
	var all []owned
	for ino, n := range c.over.Inodes {
		if n.Content == nil {
			continue
		}
		for e := range n.Content.All() {
			if e.Kind == extent.Staged {
				all = append(all, owned{staging.Range{Addr: e.Addr, Len: e.Len}, ino})
			}
		}
	}
	slices.SortFunc(all, func(a, b owned) int { return cmp.Or(cmp.Compare(a.Addr, b.Addr), cmp.Compare(a.ino, b.ino)) })
	var last owned // of those so far, the one that ends last
	for _, o := range all {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		at := Finding{Ino: o.ino, Path: c.path(o.ino), Range: rangeOf(o.Range)}
		if c.over.LogErr == nil && o.End() > c.over.LogEnd {
			at.Kind, at.Text = KindRange, fmt.Sprintf("%s has bytes %d to %d of the log, which ends at %d", at.Path, o.Addr, o.End(), c.over.LogEnd)
			at.Means = "That part of the file is lost. " + rescue
			c.damage(at)
			continue
		}
		if o.Addr < last.End() {
			at.Kind, at.Text = KindShared, fmt.Sprintf("%s and %s both have byte %d of the log", c.path(last.ino), at.Path, o.Addr)
			at.Means = "One of the two files, or both, show bytes that are not theirs. Compare them with other copies before you use or burn them"
			c.damage(at)
		}
		if o.End() > last.End() {
			last = o
		}
		c.bytes(o.Range, at)
	}
	return nil
}

// bytes looks whether the files of the log have the bytes of r.
func (c *checker) bytes(r staging.Range, at Finding) {
	what, hole, err := c.store.Missing(r)
	switch {
	case err != nil:
		at.Kind, at.Text = KindRange, fmt.Sprintf("%s has bytes of the log that cannot be looked at: %v", at.Path, err)
		at.Means = "Check the local disk"
		c.damage(at)
	case hole:
		at.Kind, at.Text = KindHole, fmt.Sprintf("%s has %s", at.Path, strings.Join(what, ", and "))
		at.Means = "That part of the file reads as zeros. Unless the file system makes holes of zeros by itself, it is lost: compare the file with another copy"
		c.doubt(at)
	case len(what) > 0:
		at.Kind, at.Text = KindRange, fmt.Sprintf("%s has %s", at.Path, strings.Join(what, ", and "))
		at.Means = "That part of the file is lost. Restore the file of the log from a backup, or: " + rescue
		c.damage(at)
	}
}

// journal looks at what is known of the disc and of an interrupted burn.
func (c *checker) journal() {
	o := c.over
	if o.JournalErr != nil {
		if o.LogErr == nil {
			c.damage(Finding{Kind: KindJournal, Text: fmt.Sprintf("the journal cannot be read: %v", o.JournalErr), Means: meansMount})
		}
		return
	}
	plan := o.Journal.Plan
	if o.Journal.Base == nil && plan == nil && len(o.Inodes)+len(o.Names) > 0 {
		c.damage(Finding{Kind: KindJournal, Text: "the journal does not say which session of the disc the changes build upon", Means: meansMount})
	}
	if plan == nil {
		return
	}
	const means = "No data is lost by this: all changes are in staging besides. The next mount gives that burn up and the next one records everything anew"
	where := filepath.Join(c.store.CommitDir(), journal.PlanName)
	if err := plan.CheckFiles(where); err != nil {
		c.damage(Finding{Kind: KindPlan, Text: fmt.Sprintf("the plan of an interrupted burn is damaged: %v", err), Means: means})
		return
	}
	if o.Seq != 0 && plan.Seq > o.Seq {
		c.damage(Finding{Kind: KindSequence, Text: fmt.Sprintf("the plan of an interrupted burn was made at change %d, and the last one is %d", plan.Seq, o.Seq), Means: "Changes may be missing from that session. " + rescue})
	}
	for e, err := range commit.StagedRanges(where) {
		r := staging.Range{Addr: e.Addr, Len: e.Len}
		at := Finding{Kind: KindPlan, Path: "the plan of an interrupted burn", Range: rangeOf(r)}
		switch {
		case err != nil:
			at.Text, at.Means = fmt.Sprintf("the plan of an interrupted burn cannot be read: %v", err), means
			c.damage(at)
			return
		case e.Addr < 0 || e.Len < 0 || o.LogErr == nil && e.Addr+e.Len > o.LogEnd:
			at.Text, at.Means = fmt.Sprintf("the plan of an interrupted burn has bytes %d to %d of the log, which ends at %d", r.Addr, r.End(), o.LogEnd), means
			c.damage(at)
		default:
			c.bytes(r, at)
		}
	}
}

// counters compares the numbers in records with the counters.
func (c *checker) counters() {
	o := c.over
	if len(o.Inodes)+len(o.Names) == 0 {
		return
	}
	const means = "A change could be taken for one that is burned already. " + rescue + ", then `burnfs staging drop`"
	seq := func(n, limit uint64, f Finding) {
		if n == 0 || n > limit {
			f.Kind, f.Means = KindSequence, means
			f.Text = fmt.Sprintf("%s has change number %d, and the last one is %d", f.Path, n, limit)
			c.damage(f)
		}
	}
	for ino, n := range o.Inodes {
		seq(n.Seq, o.Seq, Finding{Ino: ino, Path: c.path(ino)})
		if n.DataSeq > n.Seq {
			c.damage(Finding{Kind: KindSequence, Ino: ino, Path: c.path(ino), Text: fmt.Sprintf("the content of %s has change number %d, and the file %d", c.path(ino), n.DataSeq, n.Seq), Means: means})
		}
		if ino >= o.NextIno {
			c.damage(Finding{Kind: KindNextInode, Ino: ino, Path: c.path(ino), Text: fmt.Sprintf("%s has the inode number %d, and the next new file would get %d", c.path(ino), ino, o.NextIno),
				Means: "A new file could take its place. Do not mount the disc with these changes. " + rescue})
		}
	}
	for _, n := range o.Names {
		seq(n.Seq, o.Seq, Finding{Parent: n.Parent, Name: n.Name, Path: c.namePath(n)})
	}
}

func (c *checker) namePath(n stored.Name) string {
	if n.Parent == tree.RootIno {
		return n.Name
	}
	return filepath.Join(c.path(n.Parent), n.Name)
}

// Base returns the session of the disc that the changes in r build upon, nil if the journal
// does not say. The error is that of reading the journal.
func Base(r *staging.ReadOnly) (*staging.BaseRef, error) {
	meta, err := r.Meta()
	if err != nil {
		return nil, err
	}
	j, err := journal.Read(func(key string) []byte { return meta[key] })
	return j.Base, err
}
