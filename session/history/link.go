package history

import (
	"context"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
)

// Unlinked tells of each session whether it hides all that the sessions before it
// hold: there are such sessions, and none of its files lies in them. mkisofs makes
// such a session with -C and without -M.
//
// A session of ours says so itself. Of another, directories are read until a file
// is found that lies in an earlier session, so all of them if there is none. One
// whose directories cannot all be read is not unlinked for sure, so false. The error
// is that of ctx.
func Unlinked(ctx context.Context, r iso9660.BlockReader, all []Session) ([]bool, error) {
	unlinked := make([]bool, len(all))
	earlier := false // a session that can be shown
	for i := range all {
		s := &all[i]
		if !s.Readable {
			continue
		}
		if earlier {
			var err error
			if unlinked[i], err = s.alone(ctx, r); err != nil {
				return nil, err
			}
		}
		earlier = true
	}
	return unlinked, nil
}

// alone tells whether no file of the session lies before it.
func (s *Session) alone(ctx context.Context, r iso9660.BlockReader) (bool, error) {
	if s.ours() {
		return s.Mark.Previous == 0 && s.Mark.Session <= 1, nil
	}
	v, err := volume.Open(ctx, r, s.Start, volume.Options{})
	if err != nil {
		return false, ctx.Err()
	}
	for visit, err := range v.Walk(ctx) {
		if err != nil {
			return false, ctx.Err()
		}
		for _, x := range visit.Entry.Sections {
			if visit.Entry.IsRegular() && x.Size > 0 && x.LBA < s.Start {
				return false, nil
			}
		}
	}
	return true, nil
}
