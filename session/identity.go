package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"

	"github.com/google/uuid"

	"burnfs/mmc/medium"
	"burnfs/session/history"
	"burnfs/session/staging"
)

// identify tells how the disc will be recognised: one with a session of ours
// by the identity that is recorded in it; another by the descriptor of its
// first session; one without any by where it was found, since one blank disc
// is as good as another.
func identify(info *medium.Info, sessions []history.Session, name string) staging.Identity {
	id := staging.Identity{Name: name}
	for _, s := range sessions {
		if s.Mark != nil {
			id.UUID, id.Kind = s.Mark.Disc, staging.KindBurnfs
		}
		if s.Readable {
			id.VolumeID = s.VolumeID
		}
	}
	sum := sha256.New()
	if first := firstReadable(sessions); first != nil {
		fmt.Fprintf(sum, "foreign %s", first.Hash)
		if id.Kind == "" {
			id.Kind = staging.KindForeign
		}
	} else {
		fmt.Fprintf(sum, "blank %q %d", name, info.Profile)
		for _, s := range sessions {
			// Not what holds no tree: an interrupted burn may have left that
			// since, and whether it did is for the journal to say.
			if s.Audio {
				fmt.Fprintf(sum, " %d+%d", s.Start, s.Blocks)
			}
		}
		id.Kind = staging.KindBlank
	}
	id.Fingerprint = hex.EncodeToString(sum.Sum(nil))
	return id
}

func firstReadable(sessions []history.Session) *history.Session {
	for i := range sessions {
		if sessions[i].Readable {
			return &sessions[i]
		}
	}
	return nil
}

// sameDisc tells whether staging that knows its disc as known belongs to the
// disc that is now seen as id.
func sameDisc(known, id staging.Identity) bool {
	if id.UUID != "" {
		return known.UUID == id.UUID
	}
	return known.Kind == id.Kind && known.Fingerprint == id.Fingerprint
}

// openStore opens the staging of the disc, or creates it.
func openStore(ctx context.Context, stateDir string, id staging.Identity, log *slog.Logger) (*staging.Store, error) {
	found, err := staging.Find(ctx, stateDir, func(known staging.Identity) bool { return sameDisc(known, id) })
	if err != nil {
		return nil, problem(ErrStaging, err, "the staging directory %s cannot be searched for changes that wait to be burned; nothing was changed", stateDir)
	}
	if len(found) == 0 {
		if id.UUID == "" {
			id.UUID = uuid.NewString()
		}
		s, err := staging.Create(stateDir, id, log)
		if !errors.Is(err, staging.ErrExist) {
			return s, err
		}
		found = []staging.Identity{id}
	}
	return staging.Open(stateDir, found[0].UUID, log)
}
