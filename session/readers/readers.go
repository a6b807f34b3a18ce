package readers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
	"burnfs/mmc/medium"
	"burnfs/session/blocks"
	"burnfs/session/history"
)

// A Disc is what Examine looks at.
type Disc struct {
	Name     string // of the drive or file, as in commands for users
	File     bool   // a file, which has to be mounted through a loop device
	Info     *medium.Info
	Sessions []history.Session // oldest first
	Reader   iso9660.BlockReader
}

// Examine tells what readers show of the disc. The error is that of the drive, or of
// the context; a session that cannot be read is part of the report. A blank disc has
// a report without readers.
func Examine(ctx context.Context, d Disc) (*Report, error) {
	e := examiner{Disc: d}
	newest := e.last(func(s *history.Session) bool { return s.Readable })
	r := &Report{Readers: []Reader{}, Older: []Older{}}
	if newest == nil {
		return r, nil
	}
	var err error
	if e.survey, err = examine(ctx, d.Reader, newest.Start); err != nil {
		return nil, fmt.Errorf("examining session %d at block %d: %w", newest.Number, newest.Start, err)
	}
	e.newest = newest
	if e.blind, err = e.headless(ctx); err != nil {
		return nil, fmt.Errorf("reading block 16: %w", err)
	}
	r.Newest, r.Files, r.Dirs = newest.Number, e.survey.files, e.survey.dirs
	r.Readers = append(r.Readers, e.linux(), e.windows(), e.macOS(), e.xorriso())
	r.Readers = append(r.Readers, e.ofSections()...)
	if first := e.first(); first != nil && first != newest && e.sequential() {
		name := "a drive that sees only the first session"
		if e.File {
			name = "a program that reads the file itself"
		}
		r.Readers = append(r.Readers, e.oneSession(name, first), e.oneSession("a drive that sees only the last session", e.named()))
	}
	for i := len(d.Sessions) - 1; i >= 0; i-- {
		if s := &d.Sessions[i]; s.Readable && s != newest {
			r.Older = append(r.Older, Older{Session: s.Number, Start: s.Start, Commands: e.commands(s)})
		}
	}
	return r, nil
}

type examiner struct {
	Disc
	survey *survey
	newest *history.Session
	blind  string // why block 16 of an overwritable medium shows no session; empty if it does
}

func (e *examiner) last(ok func(*history.Session) bool) *history.Session {
	for i := len(e.Sessions) - 1; i >= 0; i-- {
		if ok(&e.Sessions[i]) {
			return &e.Sessions[i]
		}
	}
	return nil
}

func (e *examiner) first() *history.Session {
	i := slices.IndexFunc(e.Sessions, func(s history.Session) bool { return s.Readable })
	if i < 0 {
		return nil
	}
	return &e.Sessions[i]
}

// sequential tells whether the drive names the sessions. On other media block 16
// shows the newest.
func (e *examiner) sequential() bool { return e.Info.Kind != medium.Overwritable }

// named is the session that the drive names as the last, whatever it holds; of an
// overwritable medium that whose descriptors are at block 16.
func (e *examiner) named() *history.Session {
	return e.last(func(s *history.Session) bool { return !s.Audio && !s.Cut })
}

// headless tells why block 16 of an overwritable medium shows nothing although there
// is a session that can be read. The error is that of the drive.
func (e *examiner) headless(ctx context.Context) (string, error) {
	if e.sequential() || e.newest.Start == 0 || e.newest != e.named() {
		return "", nil
	}
	_, err := volume.Open(ctx, e.Reader, 0, volume.Options{})
	if err == nil {
		return "", nil
	}
	if _, format := errors.AsType[*iso9660.FormatError](err); format || errors.Is(err, iso9660.ErrNoPrimary) || blocks.Unreadable(err) {
		return strings.ReplaceAll(err.Error(), "\n", "; "), nil
	}
	return "", err
}

// shown fills in what a reader shows that believes the drive, and falls back to
// block 16 if it can.
func (e *examiner) shown(name string, fallback bool) (r Reader, newest bool) {
	r = Reader{Name: name, Remarks: []Remark{}}
	s := e.named()
	switch {
	case s == e.newest && e.blind == "":
		r.Session = s.Number
		return r, true
	case fallback && e.sequential() && e.Sessions[0].Readable:
		r.Session = e.Sessions[0].Number
	}
	what := fmt.Sprintf("session %d, the last that the drive names, cannot be read (%s)", s.Number, s.Problem)
	switch {
	case s == e.newest:
		what = "block 16, which shows the newest session, cannot be read (" + e.blind + ")"
	case !e.sequential():
		what = fmt.Sprintf("session %d, which block 16 shows, cannot be read (%s)", s.Number, s.Problem)
	}
	if r.Session != 0 {
		what += fmt.Sprintf("; session %d at the beginning of the disc is shown instead", r.Session)
	}
	r.Remarks = append(r.Remarks, Remark{Effect: Lost, What: what})
	return r, false
}

func (e *examiner) linux() Reader {
	r, newest := e.shown("Linux (isofs)", false)
	if !newest {
		r.Command = e.isofs(e.newest)
		return r
	}
	s := e.survey
	r.Tree = treeName(s.tree)
	r.Remarks = s.damaged.remark(r.Remarks, Lost, "names that cannot be read whole")
	r.Remarks = s.shattered.remark(r.Remarks, Lost, fmt.Sprintf("files of more than %d sections; Linux stops there", manySections))
	r.Remarks = s.packed2.remark(r.Remarks, Lost, "files compressed in a way that Linux does not know, and it shows them so; burnfs and xorriso read version 2 of zisofs")
	r.Remarks = s.packed.remark(r.Remarks, Note, "compressed files; kernels without zisofs show them so")
	r.Remarks = s.hardLinks.remark(r.Remarks, Changed, "further names of a file; Linux shows the number of names, but another inode number for each")
	r.Remarks = s.attributes.remark(r.Remarks, Changed, "names with extended attributes or ACLs, which Linux does not show; burnfs and xorriso do")
	if e.survey.tree == volume.RockRidge {
		r.Remarks = append(r.Remarks, Remark{Effect: Note, What: "times are shown in whole seconds"})
	}
	return r
}

func (e *examiner) windows() Reader {
	r, newest := e.shown("Windows (CDFS)", true)
	if !newest {
		return r
	}
	s := e.survey
	r.Tree = treeName(volume.Plain)
	dirs := s.dirs
	if j := s.joliet; j != nil {
		r.Tree = treeName(volume.Joliet)
		r.Remarks = s.renamed.remark(r.Remarks, Changed, "files and directories that have another name there, because Joliet cannot hold theirs, or lie below one that has")
		r.Remarks = j.refused.remark(r.Remarks, Lost, "names that programs on Windows cannot open: kept for devices, or with a period or blank at the end")
		r.Remarks = j.caseCollisions.remark(r.Remarks, Lost, "names that differ from another one in case only; the other one is opened instead")
		r.Remarks = j.long.remark(r.Remarks, Changed, fmt.Sprintf("paths of more than %d characters, which some programs cannot open", maxPath))
		dirs = j.dirs
	} else if s.tree == volume.RockRidge {
		r.Remarks = append(r.Remarks, Remark{Effect: Changed, What: "there is no Joliet tree: the short names of ISO 9660 are shown"})
	}
	if dirs >= maxPathTable {
		r.Remarks = append(r.Remarks, Remark{Effect: Lost, Count: dirs - maxPathTable + 1,
			What: fmt.Sprintf("directories beyond number %d of the path table, where Windows does not find what is in them", maxPathTable)})
	}
	return e.plain(r)
}

// maxPathTable is the last directory that a path table can name as a parent
// (ECMA-119 9.4.4).
const maxPathTable = 1<<16 - 1

func (e *examiner) macOS() Reader {
	r, newest := e.shown("macOS (cd9660)", false)
	if !newest {
		r.Command = macMount(e.newest)
		return r
	}
	s := e.survey
	r.Tree = treeName(s.tree)
	const extent = "the macOS driver whose source is known shows the first piece only"
	r.Remarks = s.large.remark(r.Remarks, Lost, "files larger than 4 GiB, recorded in several sections; "+extent)
	r.Remarks = s.pieces.remark(r.Remarks, Lost, "files recorded in several sections; "+extent)
	r.Remarks = s.shattered.remark(r.Remarks, Lost, "files recorded in very many sections; "+extent)
	r.Remarks = s.compressed(r.Remarks)
	r.Remarks = s.attributes.remark(r.Remarks, Changed, "names with extended attributes or ACLs, which are not shown")
	return r
}

// ofSections are the readers that are of interest only because they cannot read files of
// several sections.
func (e *examiner) ofSections() (list []Reader) {
	s := e.survey
	if s.large.count+s.pieces.count+s.shattered.count == 0 {
		return nil
	}
	if r, newest := e.shown("FreeBSD (cd9660)", false); newest {
		const extent = "it is said to show the last piece only"
		r.Tree = treeName(s.tree)
		r.Remarks = s.large.remark(r.Remarks, Lost, "files larger than 4 GiB, recorded in several sections; "+extent)
		r.Remarks = s.pieces.remark(r.Remarks, Lost, "files recorded in several sections; "+extent)
		r.Remarks = s.shattered.remark(r.Remarks, Lost, "files recorded in very many sections; "+extent)
		list = append(list, r)
	}
	// It reads block 16 of a disc or file, and what follows.
	if (!e.sequential() || e.newest == e.first()) && e.blind == "" && s.backward.count > 0 {
		r := Reader{Name: "bsdtar (libarchive)", Session: e.newest.Number, Tree: treeName(s.tree)}
		r.Remarks = s.backward.remark(nil, Lost, "files whose pieces are not in order on the disc; it gives the first of them, or nothing, and an error")
		list = append(list, r)
	}
	if r, newest := e.shown("genisoimage -M", false); newest {
		r.Tree = treeName(s.tree)
		r.Remarks = append(r.Remarks, Remark{
			Effect: Lost, Count: s.large.count + s.pieces.count + s.shattered.count,
			What: "files recorded in several sections, because of which it refuses to add a session; burnfs and xorriso add one",
		})
		list = append(list, r)
	}
	return list
}

// compressed is what is true of readers that do not know zisofs.
func (s *survey) compressed(list []Remark) []Remark {
	list = s.packed.remark(list, Lost, "files compressed by zisofs, and shown compressed")
	return s.packed2.remark(list, Lost, "files compressed by zisofs or in a way of its kind, and shown compressed")
}

func (e *examiner) xorriso() Reader {
	r, newest := e.shown("xorriso", false)
	if !newest {
		r.Command = e.load(e.newest)
		return r
	}
	r.Tree = treeName(e.survey.tree)
	if e.survey.tree == volume.RockRidge {
		r.Remarks = append(r.Remarks, Remark{Effect: Note, What: "times are shown in whole seconds"})
	}
	return r
}

// plain adds what is true of all readers without Rock Ridge.
func (e *examiner) plain(r Reader) Reader {
	s := e.survey
	r.Remarks = s.links.remark(r.Remarks, Lost, "symbolic links, which are not shown")
	r.Remarks = s.compressed(r.Remarks)
	r.Remarks = s.special.remark(r.Remarks, Lost, "devices, sockets or FIFOs, which are not shown")
	r.Remarks = s.attributes.remark(r.Remarks, Changed, "names with extended attributes or ACLs, which are not shown")
	if s.tree == volume.RockRidge {
		r.Remarks = append(r.Remarks, Remark{Effect: Note, What: "owners, permissions and links are not shown"})
	}
	return r
}

// oneSession is a drive that does not see all sessions of write-once media.
func (e *examiner) oneSession(name string, s *history.Session) Reader {
	r := Reader{Name: name, Remarks: []Remark{}}
	switch {
	case s == nil || !s.Readable:
		r.Remarks = append(r.Remarks, Remark{Effect: Lost, What: "shows nothing: that session cannot be read"})
		r.Command = e.isofs(e.newest)
	case s != e.newest:
		r.Session = s.Number
		r.Remarks = append(r.Remarks, Remark{Effect: Lost, What: fmt.Sprintf("what later sessions changed is not shown, up to session %d", e.newest.Number)})
		r.Command = e.isofs(e.newest)
	default:
		r.Session = s.Number
		r.Remarks = append(r.Remarks, Remark{Effect: Note, What: "older sessions cannot be chosen by number"})
	}
	return r
}
