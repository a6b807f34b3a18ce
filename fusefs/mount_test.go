package fusefs

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"burnfs/session/tree"
)

func TestMountShowsItself(t *testing.T) {
	m := mountTree(t, newTree(t, roomy), Options{ControlPath: "/run/burnfs/x"})
	line := m.sh(`grep " $M " /proc/self/mountinfo`)
	for _, want := range []string{"fuse.burnfs", `test\040disc,\040first`, "default_permissions", "allow_other", "nosuid", "nodev", "rw"} {
		if !strings.Contains(line, want) {
			t.Errorf("the mount table lacks %q: %s", want, line)
		}
	}
	m.want(`getfattr --absolute-names --only-values -n user.burnfs.control $M; getfattr -d -m - $M 2>/dev/null`, "/run/burnfs/x")
	m.want(`stat -c '%i %F %o' $M`, "1 directory 131072")
}

func TestFilesAndDirectories(t *testing.T) {
	m := mountTree(t, newTree(t, roomy), Options{})
	m.sh(`cd $M; echo one >a; cp -p a b; mkdir -p d/e/f; mv b d/e/f/c; ln a d/hard; ln -s ../a d/soft; mkfifo -m 600 p; mknod n c 1 3; mknod k b 259 70000`)
	m.want(`cd $M; cat a d/hard d/soft d/e/f/c`, "one\none\none\none")
	m.want(`cd $M; stat -c '%n %F %h %a' a d d/e d/e/f d/soft p`,
		"a regular file 2 644\nd directory 3 755\nd/e directory 3 755\nd/e/f directory 2 755\nd/soft symbolic link 1 777\np fifo 1 600")
	m.want(`cd $M; stat -c '%F %Hr,%Lr' n k`, "character special file 1,3\nblock special file 259,70000")
	m.want(`cd $M; test $(stat -c %i a) = $(stat -c %i d/hard) && test a -ef d/hard && readlink d/soft`, "../a")
	m.want(`cd $M; find . | LC_ALL=C sort | tr '\n' ' '`, ". ./a ./d ./d/e ./d/e/f ./d/e/f/c ./d/hard ./d/soft ./k ./n ./p ")

	m.sh(`cd $M; echo two >a2; mv a2 a`)
	m.want(`cd $M; cat a d/hard; stat -c %h a d/hard`, "two\none\n1\n1")
	m.refused(`mv $M/d $M/d/e/f`, "subdirectory of itself")
	m.refused(`rmdir $M/d`, "not empty")
	m.refused(`rmdir $M/a`, "Not a directory")
	m.refused(`mkdir $M/a`, "File exists")
	m.refused(`touch $M/$(printf %0256d 0)`, "File name too long")
	m.sh(`mkdir $M/x $M/y $M/z; touch $M/y/full; mv -T $M/x $M/z; mv -n $M/a $M/d/hard`)
	m.refused(`mv -T $M/z $M/y`, "not empty")
	m.want(`ls $M $M/z`, m.dir+":\na\nd\nk\nn\np\ny\nz\n\n"+m.dir+"/z:")
	if got := m.child("rename-flags", m.dir+"/a", m.dir+"/p"); got != "file exists\ninvalid argument\ninvalid argument" {
		t.Errorf("renameat2: %s", got)
	}
	m.sh(`rm -r $M/d; test ! -e $M/d`)
	m.want(`printf 'in any bytes' >"$M/$(printf 'b\377\001 \n.')"; cat $M/b*`, "in any bytes")
}

func TestContent(t *testing.T) {
	m := mountTree(t, newTree(t, roomy), Options{})
	src := t.TempDir() + "/random"
	m.sh(`head -c 5000001 /dev/urandom >` + src + `; cp ` + src + ` $M/r; cmp ` + src + ` $M/r`)
	// The same bytes, without the kernel's cache in between.
	if b, err := os.ReadFile(src); err != nil || string(b) != m.content("r") {
		t.Errorf("the tree has other bytes than were copied (%v)", err)
	}
	m.sh(`cd $M; dd if=r of=s bs=777 status=none; cmp r s; dd if=r of=s bs=4096 seek=3 skip=3 count=1 conv=notrunc status=none; cmp r s`)
	m.sh(`cd $M; truncate -s 100 s; truncate -s 300 s; head -c 100 r | cmp -n 100 - s; test "$(tail -c 200 s | tr -d '\0' | wc -c)" = 0`)
	m.want(`cd $M; echo x >s; cat s; stat -c %s s; : >s; stat -c %s s`, "x\n2\n0")
	m.sh(`cd $M; dd if=/dev/zero of=sparse bs=1 count=1 seek=5G status=none; rm sparse`)
	m.want(`dd if=/dev/zero of=$M/direct oflag=direct bs=4096 count=3 status=none; dd if=$M/direct iflag=direct bs=4096 status=none | wc -c`, "12288")

	want := ""
	for i := range 10 {
		want += fmt.Sprintf("line %d\n", i)
	}
	m.child("append", m.dir+"/log")
	if got := m.content("log"); got != want {
		t.Errorf("appended %q", got)
	}
	if got := m.child("unlink-open", m.dir+"/gone"); got != "nameless 8 bytes 0 links" {
		t.Errorf("unlink-open: %s", got)
	}
	if got := m.child("mmap", m.dir+"/mapped"); got != "across pages, ACROSS pages" {
		t.Errorf("mmap: %s", got)
	}
	if got := m.content("mapped"); got[4090:4102] != "ACROSS pages" {
		t.Errorf("what the mapping changed is %q", got[4090:4102])
	}
	m.child("mmap-closed", m.dir+"/late")
	if got := m.content("late"); got[:4] != "late" {
		t.Errorf("what was mapped after close is %q", got[:4])
	}
	got := m.child("fallocate", m.dir+"/alloc")
	want = "grow <nil> size 20000 x 10000\n" +
		"keep <nil> size 20000 x 10000\n" +
		"punch <nil> size 20000 x 5000\n" +
		"zero <nil> size 20000 x 4000\n" +
		"collapse operation not supported size 20000 x 4000"
	if got != want {
		t.Errorf("fallocate:\n%s\nwant:\n%s", got, want)
	}
	m.want(`flock -n $M/lockfile -c 'echo locked'`, "locked")
	if got := m.child("lock", m.dir+"/lockfile"); got != "flock <nil> resource temporarily unavailable\nofd <nil> resource temporarily unavailable" {
		t.Errorf("locks: %s", got)
	}
}

func TestAttributes(t *testing.T) {
	m := mountTree(t, newTree(t, roomy), Options{})
	m.want(`cd $M; touch f; chmod 4751 f; chown 12:34 f; stat -c '%a %u %g' f; chmod 4751 f; stat -c %a f`, "751 12 34\n4751")
	m.want(`cd $M; touch -d '2001-02-03 04:05:06.789012345Z' f; TZ=UTC stat -c '%y' f`, "2001-02-03 04:05:06.789012345 +0000")
	m.want(`cd $M; touch -d '1960-02-03 04:05:06.75Z' f; TZ=UTC stat -c '%y' f; ls f; TZ=UTC stat -c '%y' f`,
		"1960-02-03 04:05:06.750000000 +0000\nf\n1960-02-03 04:05:06.750000000 +0000")
	m.want(`cd $M; touch -a -d '2002-02-03Z' f; a=$(stat -c %X f); cat f; test $(stat -c %X f) = $a && echo same`, "same")
	m.want(`cd $M; c=$(stat -c %z f); ln f g; test "$(stat -c %z f)" != "$c" && stat -c %h f; rm g; stat -c %h f`, "2\n1")
	m.want(`cd $M; mkdir d; c=$(stat -c %y d); touch d/x; test "$(stat -c %y d)" != "$c" && echo moved`, "moved")
	m.want(`cd $M; printf 12345 >h; stat -c '%s %b %B' h; printf 67890 >>h; stat -c %s h`, "5 1 512\n10")

	// Writing, truncating and changing the owner take set-ID bits away.
	asOther := `setpriv --reuid=1000 --regid=1000 --clear-groups `
	for _, change := range []string{`echo x >>suid`, `truncate -s 1 suid`, `dd if=/dev/zero of=suid bs=1 count=1 conv=notrunc status=none`} {
		m.want(`cd $M; rm -f suid; touch suid; chown 1000:1000 suid; chmod 6777 suid; `+asOther+`sh -c '`+change+`'; stat -c %a suid`, "777")
	}
	m.want(`cd $M; chmod 6777 suid; chown 1001 suid; stat -c %a suid`, "777")

	// A set-group-ID directory hands its group down.
	m.want(`cd $M; mkdir sg; chgrp 50 sg; chmod 2775 sg; touch sg/f; mkdir sg/d; stat -c '%a %g' sg/f sg/d`, "644 50\n2755 50")
}

func TestPermissions(t *testing.T) {
	m := mountTree(t, newTree(t, roomy), Options{})
	asOther := `setpriv --reuid=1000 --regid=1000 --clear-groups `
	m.sh(`cd $M; chmod 755 .; echo secret >s; chmod 600 s; mkdir -m 1777 tmp; touch tmp/mine; mkdir -m 777 open; touch open/f`)
	m.refused(asOther+`cat $M/s`, "Permission denied")
	m.refused(asOther+`touch $M/new`, "Permission denied")
	m.refused(asOther+`chmod 644 $M/open/f`, "not permitted")
	m.want(asOther+`test -r $M/s || echo unreadable`, "unreadable")
	m.want(asOther+`sh -c 'umask 027; cd $M/open; touch mine; mkdir d; stat -c "%a %u" mine d'`, "640 1000\n750 1000")

	// Access control lists decide, and new files inherit them in place of the
	// umask. A file handed over by chmod is not handed over by its old list.
	m.want(`cd $M; mkdir -m 755 lists; setfacl -d -m u:1000:rwx,o::- lists; umask 077; echo text >lists/f; mkdir lists/d; stat -c '%a' lists/f lists/d`, "660\n770")
	m.want(asOther+`cat $M/lists/f`, "text")
	m.want(asOther+`touch $M/lists/d/f && stat -c '%u %a' $M/lists/d/f`, "1000 660")
	m.want(`chmod 600 $M/lists/f; `+asOther+`cat $M/lists/f 2>/dev/null || echo refused`, "refused")
	m.want(`setfacl -m m::r $M/lists/f; `+asOther+`cat $M/lists/f`, "text")
	m.want(`setfacl -b $M/lists/f; `+asOther+`cat $M/lists/f 2>/dev/null || echo refused`, "refused")

	// bazil.org/fuse does not send the sticky bit.
	m.want(`stat -c %a $M/tmp; ls -ld $M/tmp | cut -c1-10`, "1777\ndrwxrwxrwt")
	m.refused(asOther+`rm -f $M/tmp/mine`, "not permitted")
	m.refused(asOther+`mv $M/tmp/mine $M/open/`, "not permitted")
	m.want(`cd $M; echo 3 >/proc/sys/vm/drop_caches; stat -c %a tmp; `+asOther+`rm -f tmp/mine 2>/dev/null || echo kept`, "1777\nkept")
	m.want(`cd $M; chmod 777 tmp; stat -c %a tmp; `+asOther+`rm tmp/mine; ls tmp`, "777")
	m.want(`cd $M; mkdir -m 1770 st; stat -c %a st; touch st/sf; chmod 1644 st/sf; stat -c %a st/sf; mv st st2; stat -c %a st2`, "1770\n1644\n1770")
}

func TestExtendedAttributes(t *testing.T) {
	m := mountTree(t, newTree(t, roomy), Options{})
	m.sh(`cd $M; touch f; mkdir d; ln -s f l; setfattr -n user.one -v 1 f; setfattr -n user.two -v "$(head -c 3000 /dev/zero | tr '\0' x)" f; setfattr -n trusted.t -v t d; setfattr -h -n trusted.l -v l l`)
	m.want(`cd $M; getfattr --only-values -n user.one f; getfattr --only-values -n user.two f | wc -c; getfattr -m - f d`, "13000\n# file: f\nuser.one\nuser.two\n\n# file: d\ntrusted.t")
	m.want(`cd $M; setfattr -x user.one f; getfattr -m - f; getfattr -h --only-values -n trusted.l l`, "# file: f\nuser.two\n\nl")
	m.want(`cd $M; setfacl -m u:1000:r f; getfacl -cn f | grep 1000`, "user:1000:r--")
	want := "no data available\n<nil>\nfile exists\n<nil>\nno data available\n<nil>\nno space left on device\nno data available"
	if got := m.child("xattr-flags", m.dir+"/d"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestReaddir(t *testing.T) {
	m := mountTree(t, newTree(t, roomy), Options{})
	m.sh(`cd $M; mkdir changing big; mknod big/fifo p; ln -s x big/link; mkdir big/sub`)
	m.child("readdir", m.dir+"/changing", "2000")
	m.sh(`rm -r $M/big/fifo && mknod $M/big/fifo p`)
	m.want(`cd $M/big; seq -f name-%.0f 500 | xargs touch; ls | wc -l`, "503")
	m.child("seekdir", m.dir+"/big")
	m.child("readdir-after", m.dir+"/dying")
	m.want(`cd $M/big; rm name-*; ls -A | tr '\n' ' '`, "0-new fifo link sub ")
}

func TestTenThousandFiles(t *testing.T) {
	m := mountTree(t, newTree(t, roomy), Options{})
	m.sh(`mkdir $M/many`)
	if got := m.child("many", m.dir+"/many", "10000"); got != "10000" {
		t.Errorf("many: %s", got)
	}
	m.want(`find $M/many -type f | wc -l; rm -r $M/many; ls $M | wc -l`, "10000\n0")
}

func TestManyAtOnce(t *testing.T) {
	m := mountTree(t, newTree(t, roomy), Options{})
	m.want(`cd $M; mkdir in out
		for w in 1 2 3 4; do (
			for i in $(seq 60); do
				echo $w >in/f$i.$w; mv in/f$i.$w out/g$i; ln out/g$i in/h$i.$w 2>/dev/null || :; chmod 600 out/g$i 2>/dev/null || :
				ls in >/dev/null; cat out/g$i >/dev/null; rm -f in/h$i.$w
			done
		) & done; wait
		ls in | wc -l; ls out | wc -l; cat out/* | wc -l; stat -c %h out/* | sort -u`, "0\n60\n60\n1")
}

func TestSpace(t *testing.T) {
	m := mountTree(t, newTree(t, tree.Space{Total: 2000, Free: 1500, Overhead: 100}), Options{})
	m.want(`stat -f -c '%s %S %b %l' $M`, "2048 2048 2000 255")
	free, err := strconv.Atoi(m.sh(`stat -f -c %a $M`))
	if err != nil || free <= 1000 || free >= 1500 {
		t.Errorf("%d blocks are free", free)
	}
	m.refused(`head -c 4M /dev/zero >$M/toobig`, "No space left on device")
	m.want(`rm $M/toobig; stat -f -c %a $M`, strconv.Itoa(free))
	m.sh(fmt.Sprintf(`head -c %d /dev/zero >$M/fits; cmp -n %[1]d /dev/zero $M/fits`, 2048*(free-20)))
	m.refused(`head -c 1M /dev/zero >>$M/fits`, "No space left on device")
}

func TestReadOnlyMount(t *testing.T) {
	tr := newTree(t, roomy)
	if _, err := tr.Create(t.Context(), tr.Root(), "f", tree.New{Mode: 0o100644}); err != nil {
		t.Fatal(err)
	}
	m := mountTree(t, tr, Options{ReadOnly: true})
	m.want(`ls $M`, "f")
	m.refused(`echo x >$M/f`, "Read-only file system")
	m.refused(`rm $M/f`, "Read-only file system")
}

func TestPagesStayCached(t *testing.T) {
	m := mountTree(t, newTree(t, roomy), Options{}, LevelTrace)
	m.sh(`head -c 1M /dev/urandom >$M/f; echo 3 >/proc/sys/vm/drop_caches; cat $M/f >/dev/null`)
	reads := func() int { return strings.Count(m.log.String(), "msg=\"<- Read [") }
	first := reads()
	if first == 0 {
		t.Fatal("no read was traced")
	}
	m.sh(`cat $M/f $M/f | wc -c`)
	if n := reads(); n != first {
		t.Errorf("%d more reads of cached pages", n-first)
	}
	lookups := strings.Count(m.log.String(), "<- Lookup")
	getattrs := strings.Count(m.log.String(), "<- Getattr")
	m.sh(`stat $M/f $M/f`)
	if n := strings.Count(m.log.String(), "<- Lookup"); n != lookups {
		t.Errorf("%d more lookups of a cached entry", n-lookups)
	}
	if n := strings.Count(m.log.String(), "<- Getattr"); n != getattrs {
		t.Errorf("%d more getattrs of cached attributes", n-getattrs)
	}
}

func TestSyncOfTheMountCommits(t *testing.T) {
	commits := make(chan struct{}, 100)
	tr := newTree(t, roomy)
	m := mountTree(t, tr, Options{SyncRoot: func(ctx context.Context) error {
		commits <- struct{}{}
		return tr.Sync(ctx)
	}})
	count := func(script string) int {
		t.Helper()
		m.sh(script)
		n := len(commits)
		for range n {
			<-commits
		}
		return n
	}
	if n := count(`sync $M`); n != 1 {
		t.Errorf("sync of the mount: %d commits", n)
	}
	if n := count(`mkdir $M/d; echo x >$M/f; sync $M/d $M/f`); n != 0 {
		t.Errorf("sync of a file and a directory: %d commits", n)
	}
	for range 20 {
		if n := count(`cp $M/f $M/g; sync $M`); n != 1 {
			t.Fatalf("sync after cp: %d commits", n)
		}
	}
	if n := count(`exec 3>$M/open; sync $M`); n != 0 {
		t.Errorf("sync while a file is open for writing: %d commits", n)
	}
	if n := count(`exec 3<$M/open; sync $M`); n != 1 {
		t.Errorf("sync while a file is open for reading: %d commits", n)
	}
	if n := count(`sync -f $M; sync`); n != 0 {
		t.Errorf("syncfs and sync: %d commits", n)
	}
}
