package history

import (
	"context"
	"errors"
	"strings"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
	"burnfs/session/blocks"
)

// judgeNewest opens the newest session. If its root directory cannot be read, or is
// none, the one before it is what can be shown, if there is one; and so on. Only
// the newest are looked at, because a disc may have hundreds of sessions. Where none
// can be opened nothing is changed.
//
// The error is that of the drive.
func judgeNewest(ctx context.Context, r iso9660.BlockReader, all []Session) error {
	problems := make(map[int]string) // of sessions that cannot be opened
	for i := len(all) - 1; i >= 0; i-- {
		if !all[i].Readable {
			continue
		}
		_, err := volume.Open(ctx, r, all[i].Start, volume.Options{})
		if err != nil && !ofSession(err) {
			return err
		}
		if err != nil {
			problems[i] = strings.ReplaceAll(err.Error(), "\n", "; ") // one of each tree
			continue
		}
		for i, problem := range problems {
			all[i].Readable, all[i].Problem = false, problem
		}
		return nil
	}
	return nil // nothing better is there; whoever opens one sees the error
}

// ofSession tells whether err says that what is recorded is no volume, or cannot be
// read.
func ofSession(err error) bool {
	_, format := errors.AsType[*iso9660.FormatError](err)
	return format || errors.Is(err, iso9660.ErrNoPrimary) || blocks.Unreadable(err)
}
