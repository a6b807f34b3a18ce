package soak

import (
	"fmt"
	"io"
	"os"
	"strings"

	"burnfs/integration/harness"
	"burnfs/integration/judge"
	"burnfs/integration/manifest"
)

// verdict unmounts for the last time and looks at the disc in every way.
func (s *Soak) verdict() {
	s.Helper()
	s.closeHandles()
	s.clean()
	if s.failed.Load() {
		return
	}
	if s.mount.Unmount() {
		s.fail("there was something to burn though nothing had changed")
	}
	s.checkStaging()
	want, err := manifest.Read(s.mirror)
	if err != nil {
		s.fail("%v", err)
		return
	}
	ro := s.disc.Mount("ro")
	got, err := manifest.Read(ro.Point)
	ro.Unmount()
	if err != nil {
		s.fail("%v", err)
		return
	}
	if d := manifest.Diff(want, got, manifest.Everything); d != "" {
		s.fail("the disc, mounted read-only, differs from the mirror:\n%s", d)
	}
	s.foreign(want)
	s.sessions()
}

// foreign lets xorriso read the newest session.
func (s *Soak) foreign(want manifest.Tree) {
	s.Helper()
	last := s.disc.Last()
	view := judge.Open(s, s.disc.Path).Session(last.Start)
	if harness.Overwritable(s.disc.Media) {
		view = judge.Open(s, s.disc.Path).Newest(last.Start)
	}
	view.Compare(want, judge.Xorriso)
	view.CheckFiles()
}

// sessions looks at all sessions.
func (s *Soak) sessions() {
	s.Helper()
	s.remember()
	list := s.disc.Sessions()
	view := judge.Open(s, s.disc.Path)
	last := len(list) - 1
	for i, x := range list {
		if x.Content != "iso9660" {
			s.counts.Pieces++
			continue
		}
		s.counts.Sessions++
		// Every file of each session takes long; `burnfs verify` reads them, too.
		if i == last || s.rng.IntN(len(list)) < 4 {
			view.Session(x.Start).Check()
		}
	}
	r := s.Burnfs("verify", s.disc.Path)
	cd := strings.HasPrefix(s.disc.Media, "cd-")
	if (r.Code != 0 || s.counts.Pieces > 0) && !cd {
		s.fail("%d sessions cannot be read, and:\n%v", s.counts.Pieces, r)
	}
	// Some of the sessions whose content is known, through the mount.
	starts := s.starts()
	s.rng.Shuffle(len(starts), func(i, k int) { starts[i], starts[k] = starts[k], starts[i] })
	for _, start := range starts[:min(3, len(starts))] {
		for _, x := range list {
			if x.Start == start {
				s.old(x)
			}
		}
	}
}

// old compares an earlier session with what it was when it was burned.
func (s *Soak) old(x harness.Session) {
	s.Helper()
	m := s.disc.MountAt(s.Mkdir("old", 0o755), fmt.Sprintf("session=%d", x.Number))
	got, err := manifest.Read(m.Point)
	m.Unmount()
	if err != nil {
		s.fail("%v", err)
		return
	}
	if d := manifest.Diff(s.references[x.Start], got, manifest.Everything); d != "" {
		s.fail("session %d differs from what was burned:\n%s", x.Number, d)
	}
	s.counts.References++
}

const blockSize = 2048

// hashBlocks reads blocks of a disc file; what lies behind its end is zero.
func hashBlocks(name string, start, blocks uint32) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	size := int64(blocks) * blockSize
	data := io.NewSectionReader(f, int64(start)*blockSize, size)
	return manifest.Hash(io.LimitReader(io.MultiReader(data, zeros{}), size))
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
