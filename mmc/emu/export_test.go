package emu

import "errors"

// Crash lets go of the files as the end of the process would: nothing is made
// durable that is not. A checkpoint under way ends first, as it may.
func (d *Drive) Crash() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return errors.Join(d.medium.data.close())
}

// Quiesce waits for the checkpoint under way.
func (d *Drive) Quiesce() { d.medium.data.background.Wait() }
