package session

import (
	"context"
	"log/slog"

	"burnfs/mmc"
	"burnfs/mmc/medium"
	"burnfs/session/blocks"
	"burnfs/session/history"
)

// Room is how many bytes of new file data the disc certainly takes in its next
// session: what a mount without changes reports as fitting. It is less than what
// is free by the directories that are recorded again, by what sessions cost
// besides, and by a reserve for one more. A disc that cannot be
// written, or only once, has none.
//
// The errors are those of Open for a tree that cannot be read.
func Room(ctx context.Context, drive *mmc.Drive, info *medium.Info, sessions []history.Session) (int64, error) {
	d := &Disc{log: slog.New(slog.DiscardHandler), drive: drive, disc: blocks.New(drive), info: info, sessions: sessions}
	if notWritable(info) != "" {
		return 0, nil
	}
	if newest := d.newest(nil); newest != nil {
		if err := d.openBase(ctx, *newest); err != nil {
			return 0, err
		}
	}
	s, err := d.spaceToWrite(ctx)
	if err != nil {
		return 0, err
	}
	return s.Room(), nil
}
