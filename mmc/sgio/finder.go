package sgio

import (
	"log/slog"

	"burnfs/mmc"
)

// Finder finds a drive that went away: under the name it was opened by, or as any
// other of its kind. It is what package reopen wants.
type Finder struct {
	sys  system
	path string // as it was named to Open
	kind Device // vendor and model
	opt  Options
	log  *slog.Logger
}

// Finder returns who finds the drive again, by the name and with the options that
// it was opened with.
func (t *Transport) Finder(path string, opt Options) *Finder {
	return &Finder{sys: t.sys, path: path, kind: t.sys.describe("", t.node.dir), opt: opt, log: t.log}
}

// Candidates returns the name that the drive had, and those of other drives of the
// same vendor and model. Others are not disturbed.
func (f *Finder) Candidates() []string {
	names := []string{f.path}
	all, err := f.sys.list()
	if err != nil {
		f.log.Debug("the list of drives cannot be read", "err", err)
	}
	for _, d := range all {
		if d.Path() != f.path && d.Vendor == f.kind.Vendor && d.Model == f.kind.Model {
			names = append(names, d.Path())
		}
	}
	return names
}

// Open opens one of them.
func (f *Finder) Open(name string) (mmc.Transport, error) {
	t, err := Open(name, f.opt)
	if err != nil {
		return nil, err
	}
	return t, nil
}
