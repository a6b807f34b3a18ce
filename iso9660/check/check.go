package check

import (
	"context"
	"fmt"
	"iter"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/eltorito"
)

// Options say how much is checked.
type Options struct {
	// Data has every file read and its MD5 and SHA-256 compared with the recorded
	// ones, and the MD5 of the whole session as well.
	Data bool
	// Progress is told how many bytes were read so far, some of them twice; may
	// be nil.
	Progress func(bytes int64)
}

// Check yields the faults of the session whose System Area begins at block start;
// 0 on an overwritable medium is its newest session. A session without faults
// yields nothing. The caller may stop at any time.
//
// An error comes last, with an empty Finding, and says that the check did not come
// to its end: it wraps iso9660.ErrNotISO9660, ErrHighSierra, ErrNoPrimary or
// ErrBlockSize, what r returned for the first descriptor, or the context's error.
// Other blocks that cannot be read are findings.
func Check(ctx context.Context, r iso9660.BlockReader, start uint32, opt Options) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		c := &checker{ctx: ctx, blocks: r, start: start, session: start, opt: opt, yield: yield}
		err := c.run()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil && !c.stopped {
			yield(Finding{}, fmt.Errorf("checking the session at block %d: %w", start, err))
		}
	}
}

// A checker is the check of one session.
type checker struct {
	ctx     context.Context
	blocks  iso9660.BlockReader
	opt     Options
	yield   func(Finding, error) bool
	stopped bool // the caller wants no more
	quiet   bool // what is read was checked before

	start      uint32 // where the descriptors that are checked lie
	session    uint32 // where the session begins that they belong to
	saved      bool   // what lies at start are the session's first blocks, saved from session
	primary    iso9660.TreeDescriptor
	joliet     iso9660.TreeDescriptor // zero if there is none
	enhanced   bool                   // there is a descriptor of ISO 9660:1999, too
	jolietLBA  uint32                 // where it is
	jolietTree *tree
	boot       eltorito.BootRecord // zero if there is none
	bootLBA    uint32              // where it is

	// Where the volume ends; see extent.go.
	size     uint32
	absolute bool // size certainly counts from the medium's beginning
	relative bool // it certainly does not

	progress int64 // bytes read
	highest  int64 // blocks known to exist: one more than the highest that was read

	tags    tags
	array   checksum.Area // isofs.ca of the root
	hasArea bool
	sums    *checksum.Array // nil if there is none that could be used
	sha256  checksum.SHA256Area
	hasBH   bool                  // there is BH, which tells it
	shas    *checksum.SHA256Array // nil if there is none that could be used

	regions    []region
	structures []string // names of what is neither file nor directory
	full       bool     // no more regions are kept

	beyond struct { // continuation areas beyond the volume space size
		count int
		first Finding
	}
}

func (c *checker) run() error {
	end, err := c.descriptors()
	if err != nil {
		return err
	}
	c.findTags(end)
	tree := c.walkISO()
	c.findArray(tree)
	c.namedFiles(tree)
	c.pathTables(tree)
	if tree.rockRidge && !tree.damaged {
		c.relocations(tree)
	}
	if tree.rockRidge && !tree.damaged {
		c.directoryLinks(tree)
		c.fileLinks(tree)
	}
	if c.joliet.VolumeDescriptor != nil {
		c.walkJoliet(tree)
	}
	c.booting()
	c.volumeSize()
	c.overlaps(tree)
	c.digests()
	if c.opt.Data {
		c.files(tree)
	}
	return nil
}

// done tells whether to stop.
func (c *checker) done() bool { return c.stopped || c.ctx.Err() != nil }

func (c *checker) report(rule Rule, lba uint32, offset int, path, format string, args ...any) {
	if !c.quiet {
		c.send(finding(rule, lba, offset, path, format, args...))
	}
}

func finding(rule Rule, lba uint32, offset int, path, format string, args ...any) Finding {
	return Finding{
		Rule: rule, Severity: rule.Severity(), Clause: rule.Clause(),
		LBA: lba, Offset: offset, Path: path, What: fmt.Sprintf(format, args...),
	}
}

func (c *checker) send(f Finding) {
	if !c.done() && !c.yield(f, nil) {
		c.stopped = true
	}
}
