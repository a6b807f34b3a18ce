//go:build linux

package guest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"burnfs/integration/iscsi"
	"burnfs/mmc"
)

// playerIQN is the name of the target of every player; each has a port of its
// own.
const playerIQN = "iqn.2000-01.burnfs:player"

// Player is a drive of the host that the guest has: an iSCSI target with one
// drive, and the devices that the guest's kernel made of it.
type Player struct {
	Drive
	Trace *Trace // the commands that reached the drive

	guest  *Guest
	target *iscsi.Target
}

// Play gives a drive to the guest. It stays the caller's, who must not use it
// before Close. log may be nil.
func (g *Guest) Play(ctx context.Context, drive mmc.Transport, log *slog.Logger) (_ *Player, err error) {
	target, err := iscsi.Listen("127.0.0.1:0", log)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, target.Close())
		}
	}()
	address, ok := target.Addr().(*net.TCPAddr)
	if !ok {
		return nil, fmt.Errorf("iSCSI target at %v, which has no port", target.Addr())
	}
	p := &Player{Trace: NewTrace(drive), guest: g, target: target}
	iqn := fmt.Sprintf("%s-%d", playerIQN, address.Port)
	if err := target.Add(iqn, p.Trace); err != nil {
		return nil, err
	}
	if p.Drive, err = g.Attach(ctx, address.Port, iqn); err != nil {
		return nil, fmt.Errorf("%w\ncommands:\n%s", err, p.Trace)
	}
	return p, nil
}

// Reprobe makes the guest's kernel look at the medium as for the first time.
// The names of the devices may change.
func (p *Player) Reprobe(ctx context.Context) error {
	d, err := p.guest.Reprobe(ctx, p.Drive)
	if err == nil {
		p.Drive = d
	}
	return err
}

// Drop pulls the drive's cable.
func (p *Player) Drop() { p.target.Drop() }

// Restore plugs it in again. The guest logs in by itself within seconds.
func (p *Player) Restore() { p.target.Restore() }

// Close takes the drive away from the guest, whether or not that can be told.
func (p *Player) Close(ctx context.Context) error {
	return errors.Join(p.guest.Detach(ctx, p.Drive), p.target.Close())
}
