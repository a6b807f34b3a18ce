package reopen

import (
	"context"
	"errors"
	"fmt"

	"burnfs/mmc"
)

// Identity tells drives apart.
type Identity struct {
	Vendor, Product string // as INQUIRY tells them, without padding
	Serial          string // empty if the drive has none
}

// String names the drive.
func (i Identity) String() string {
	s := i.Vendor + " " + i.Product
	if i.Serial != "" {
		s += " (" + i.Serial + ")"
	}
	return s
}

// same reports whether a drive that calls itself found may be the one that called
// itself i. A number that one of them does not tell proves nothing: some bridges
// hide it.
func (i Identity) same(found Identity) bool {
	return i.Vendor == found.Vendor && i.Product == found.Product &&
		(i.Serial == found.Serial || i.Serial == "" || found.Serial == "")
}

// Identify asks a drive who it is. It uses commands that need no medium.
func Identify(ctx context.Context, t mmc.Transport) (Identity, error) {
	d := mmc.NewDrive(t, nil) // not closed: the transport is the caller's
	q, err := d.Inquiry(ctx)
	if err != nil {
		return Identity{}, fmt.Errorf("asking the drive who it is: %w", err)
	}
	id := Identity{Vendor: q.Vendor(), Product: q.Product()}
	// A unit attention may come once instead of an answer.
	for range 2 {
		if id.Serial, err = d.SerialNumber(ctx); mmc.Advice(err) != mmc.Reload {
			break
		}
	}
	if err != nil && (ctx.Err() != nil || errors.Is(err, mmc.ErrDriveGone) || mmc.Advice(err) == mmc.Reload) {
		return Identity{}, fmt.Errorf("asking the drive for its serial number: %w", err)
	}
	return id, nil // bridges fail in all sorts of ways at what they do not know
}
