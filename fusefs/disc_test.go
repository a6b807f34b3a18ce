package fusefs

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"burnfs/integration/shelf"
	"burnfs/iso9660/check"
	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/session"
	"burnfs/session/history"
	"burnfs/session/review"
	"burnfs/session/staging"
)

func openDisc(t *testing.T, path, state string) *session.Disc {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	drive, err := emu.Open(path, emu.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	disc, err := session.Open(t.Context(), mmc.NewDrive(drive, log), session.Options{Name: path, StateDir: state, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		shelf.Put(t, path)
		checkDisc(t, path)
		dirs, err := staging.Dirs(state)
		if err != nil {
			t.Error(err)
		}
		for _, d := range dirs {
			checkStaging(t, d)
		}
	})
	return disc
}

// checkDisc demands that there is nothing to find on a disc that nobody has open. It
// runs after each use of one.
func checkDisc(t *testing.T, path string) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	e, err := emu.Open(path, emu.Options{Log: log, ReadOnly: true})
	if err != nil {
		t.Error(err)
		return
	}
	drive := mmc.NewDrive(e, log)
	defer func() {
		if err := drive.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx := context.Background()
	info, err := medium.Inspect(ctx, drive)
	if err != nil {
		t.Error(err)
		return
	}
	sessions, err := history.List(ctx, info, drive)
	if err != nil {
		t.Error(err)
	}
	for _, p := range review.Places(info, sessions) {
		for f, err := range p.Check(ctx, drive, check.Options{Data: true}) {
			if err != nil {
				t.Error(err)
			} else {
				t.Errorf("session %d: %v", p.Number, f)
			}
		}
	}
}

// TestCommitUnderAMount burns while files are open, and looks whether the mount
// and the next mount show the same.
func TestCommitUnderAMount(t *testing.T) {
	for _, media := range []emu.Media{emu.BDR, emu.DVDRAM} {
		t.Run(string(media), func(t *testing.T) {
			dir := t.TempDir()
			path, state := filepath.Join(dir, "disc"), filepath.Join(dir, "state")
			if err := emu.Create(path, media, emu.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			look := `cd $M; find . -printf '%p %i %M %n %U %G %s %T@ %l\n' | LC_ALL=C sort; find . -type f | LC_ALL=C sort | xargs md5sum; getfattr -hRd .`
			var before string
			t.Run("first", func(t *testing.T) {
				disc := openDisc(t, path, state)
				t.Cleanup(func() {
					if err := disc.Close(context.Background()); err != nil {
						t.Error(err)
					}
				})
				commits := 0
				m := mountTree(t, disc.Tree(), Options{StagingDir: state, DiscPath: path, SyncRoot: func(ctx context.Context) error {
					report, err := disc.Commit(ctx, "sync", nil)
					if err == nil && report.Burned {
						commits++
					}
					return err
				}})
				m.sh(`cd $M; mkdir -p a/b; mkdir -m 1777 tmp; head -c 3000000 /dev/urandom >a/big; ln a/big a/b/link; ln -s ../big a/b/soft
					echo small >tmp/s; setfattr -n user.x -v y tmp/s; touch -d '1960-01-02 03:04:05.25Z' tmp/s; truncate -s 1M a/hole; chown 5:6 a/hole`)
				stop := m.start(m.command("/bin/sh", "-c", `exec 3<$M/a/big 4<$M/tmp/s; rm $M/tmp/s; echo open; read x
					cat <&4 >`+dir+`/seen; cmp $M/c/link /proc/self/fd/3 >>`+dir+`/seen 2>&1; echo $? >>`+dir+`/seen`), "open")
				before = m.sh(look)
				m.sh(`sync $M`)
				if got := m.sh(look); got != before {
					t.Errorf("the commit changed\n%s\nto\n%s", before, got)
				}
				m.sh(`sync $M; echo 3 >/proc/sys/vm/drop_caches`)
				if got := m.sh(look); got != before {
					t.Errorf("from the disc comes\n%s\nnot\n%s", got, before)
				}
				m.sh(`cd $M; echo more >>a/big; mv a/b c; echo again >tmp/s; chmod 600 a/hole`)
				before = m.sh(look)
				m.sh(`sync $M`)
				if commits != 2 {
					t.Errorf("%d commits", commits)
				}
				stop()
				m.want(`cat `+dir+`/seen`, "small\n0") // what the one who had files open throughout saw
			})
			t.Run("second", func(t *testing.T) {
				disc := openDisc(t, path, state)
				t.Cleanup(func() {
					if err := disc.Close(context.Background()); err != nil {
						t.Error(err)
					}
				})
				m := mountTree(t, disc.Tree(), Options{StagingDir: state, DiscPath: path})
				if got := m.sh(look); got != before {
					t.Errorf("the next mount shows\n%s\nnot\n%s", got, before)
				}
			})
		})
	}
}
