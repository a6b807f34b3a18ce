package session

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
	"burnfs/session/tree"
)

// What is burned is the state at the freeze, exactly, whatever is done meanwhile
// and whenever: here before each directory that the planner reads, in each of
// its walks, and before each command that the drive gets from then on until the
// commit has returned. The mount shows what was done, and the next session
// records it.
func TestBurnedIsWhatWasFrozen(t *testing.T) {
	for _, media := range []emu.Media{"", "bd-r", "cd-r"} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("media=%s seed=%d", media, seed), func(t *testing.T) {
				t.Parallel()
				m := &model{rng: rand.New(rand.NewPCG(seed, 1)), rig: newRig(t, media)}
				m.rig.open() // makes the image file
				m.rig.close()
				busy := false
				m.openBusy(func() {
					if busy {
						m.step()
					}
				})
				m.root = m.learn(m.disc.Tree().Root(), map[*tree.Node]*inode{})
				m.some(150)
				m.commit() // so that half of it is of an earlier session
				m.some(100)
				var frozen []string
				for range 2 {
					m.some(50)
					frozen = append(frozen, m.manifest())
					steps := map[string]int{}
					before, phase := m.steps, ""
					reports := 0
					_, err := m.disc.Commit(m.ctx, "test", func(p Progress) {
						steps[phase] += m.steps - before
						before, phase = m.steps, p.Phase
						// The first report comes before the freeze, the second from the planner.
						if reports++; reports > 1 {
							busy = true
							m.step()
						}
					})
					busy = false
					if err != nil {
						t.Fatal(err)
					}
					if steps[PhasePlanning] < 8 || steps[PhaseBurning]+steps[PhaseClosing] < 2 || m.steps == before {
						t.Errorf("too little was done meanwhile: %v, and %d while publishing", steps, m.steps-before)
					}
					m.check("after the commit")
				}
				frozen = append(frozen, m.manifest())
				m.commit()
				m.same("after the last commit", frozen[len(frozen)-1])
				m.unmount()
				for i, want := range frozen {
					m.opt.Session = i + 2
					m.rig.open()
					m.same(fmt.Sprintf("session %d", i+2), want)
					m.rig.close()
				}
			})
		}
	}
}

// openBusy mounts with a drive that calls do before each command.
func (m *model) openBusy(do func()) {
	m.Helper()
	e := m.insert(m.path)
	w := faulty.Wrap(e, faulty.InjectorFunc(func(faulty.Op) faulty.Fault {
		do()
		return nil
	}))
	var err error
	if m.disc, err = Open(m.ctx, mmc.NewDrive(w, m.opt.Log), m.opt); err != nil {
		m.Fatal(err)
	}
}
