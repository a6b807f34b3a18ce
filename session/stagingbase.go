package session

import (
	"context"
	"errors"
	"log/slog"

	"burnfs/iso9660/volume"
	"burnfs/mmc/medium"
	"burnfs/session/blocks"
	"burnfs/session/fsck"
	"burnfs/session/history"
	"burnfs/session/staging"
	"burnfs/session/tree"
)

// FindStaging returns the identities in stateDir that belong to the disc that info and
// sessions describe; name is the disc as Options has it. As of staging.Find, both results
// may be set.
func FindStaging(ctx context.Context, stateDir, name string, info *medium.Info, sessions []history.Session) ([]staging.Identity, error) {
	id := identify(info, sessions, name)
	return staging.Find(ctx, stateDir, func(known staging.Identity) bool { return sameDisc(known, id) })
}

// BaseOf opens the session that staged changes build upon; nil for a disc without one.
// ErrDiscChanged if the disc has no such session, ErrNoISO if it has and the session's
// directories cannot be read.
func BaseOf(ctx context.Context, disc *blocks.Reader, sessions []history.Session, ref staging.BaseRef, log *slog.Logger) (tree.Base, error) {
	if ref.Hash == "" {
		return nil, nil
	}
	for _, s := range sessions {
		if s.Hash != ref.Hash {
			continue
		}
		v, err := volume.Open(ctx, disc, s.Start, volume.Options{Log: log})
		if err != nil {
			return nil, problem(ErrNoISO, err, "the directories of the session at block %d, which the staged changes build upon, cannot be read; nothing was changed", s.Start)
		}
		return &base{Volume: v, session: s}, nil
	}
	return nil, problem(ErrDiscChanged, nil, "the disc has no session that the staged changes build upon: it is another disc, or was blanked or written by another program meanwhile. Nothing was changed")
}

// CheckStaging checks the staging in r against the disc that it belongs to. If the disc has
// not got what the changes build upon, that is the error, and the report is of what can be
// told without it.
func CheckStaging(ctx context.Context, r *staging.ReadOnly, disc *blocks.Reader, info *medium.Info, sessions []history.Session, log *slog.Logger) (*fsck.Report, error) {
	ref, err := fsck.Base(r)
	if err != nil || ref == nil {
		return fsck.Check(ctx, r, fsck.Options{})
	}
	b, err := BaseOf(ctx, disc, sessions, *ref, log)
	if err != nil {
		report, cerr := fsck.Check(ctx, r, fsck.Options{})
		return report, errors.Join(err, cerr)
	}
	if b == nil {
		return fsck.Check(ctx, r, fsck.Options{})
	}
	return fsck.Check(ctx, r, fsck.Options{Disc: &fsck.Disc{Base: b, Bytes: int64(max(info.Total, info.Capacity)) * blockSize}})
}
