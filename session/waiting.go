package session

import (
	"context"
	"errors"
	"log/slog"

	"burnfs/mmc/medium"
	"burnfs/session/history"
	"burnfs/session/staging"
)

// Waiting is what staging keeps for a disc that is not mounted.
type Waiting struct {
	Dir string
	// Changes tells that something was changed and never burned.
	Changes bool
	// Start is the first block of a session that was planned and whose burn was
	// not finished, if Unfinished is set: a mount finishes it.
	Unfinished bool
	Start      uint32
}

// FindWaiting returns what waits in stateDir for the disc that info and sessions
// describe; name is the disc as Options has it. Stores without anything are left
// out.
//
// A store that cannot be read is part of the error and does not hide the others.
// One that is mounted elsewhere is staging.ErrLocked.
func FindWaiting(ctx context.Context, stateDir, name string, info *medium.Info, sessions []history.Session, log *slog.Logger) ([]Waiting, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	id := identify(info, sessions, name)
	found, err := staging.Find(ctx, stateDir, func(known staging.Identity) bool { return sameDisc(known, id) })
	var list []Waiting
	for _, f := range found {
		w, werr := lookInto(stateDir, f.UUID, log)
		err = errors.Join(err, werr)
		if w.Changes || w.Unfinished {
			list = append(list, w)
		}
	}
	return list, err
}

func lookInto(stateDir, uuid string, log *slog.Logger) (w Waiting, err error) {
	s, err := staging.Open(stateDir, uuid, log)
	if err != nil {
		return w, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	j, err := (&Disc{store: s}).readJournal()
	if err != nil {
		return w, err
	}
	w = Waiting{Dir: s.Dir(), Changes: j.Staged}
	if j.Plan != nil {
		w.Unfinished, w.Start = true, j.Plan.Start()
	}
	return w, nil
}
