#!/bin/sh
# The tutorial: each command is printed before it is run, so that it can be typed
# again. Usage: demo.sh BURNFS [DIRECTORY]
set -eu
burnfs=$(realpath "$1")
dir=${2:-$(mktemp -d /tmp/burnfs-demo.XXXXXX)}
mkdir -p "$dir"
cd "$dir"
PATH=$(dirname "$burnfs"):$PATH
export PATH

say() { echo && printf '# %s\n' "$@"; }
run() {
	printf '$ %s\n' "$*"
	sh -c "$*"
}
trap 'burnfs umount -l mnt >/dev/null 2>&1 || true' EXIT

say "A folder with something to keep."
mkdir -p photos mnt
for i in 1 2 3; do head -c 3000000 /dev/urandom >"photos/picture$i.jpg"; done
echo 'Summer, by the sea.' >photos/notes.txt
run ls -l photos

say "An emulated BD-R: blank, write-once, 25 GB. The file is sparse."
run burnfs create --media bd-r disc.img

say "Mount it, copy the folder in, unmount. Unmounting burns a session, reads it back" \
	"and returns when it is verified."
run burnfs mount disc.img mnt
run cp -a photos mnt/
run burnfs status mnt
run burnfs umount mnt

say "Mount it again, change something, add something."
run burnfs mount disc.img mnt
run "echo 'The second picture is the best.' >> mnt/photos/notes.txt"
run mv mnt/photos/picture3.jpg mnt/photos/sunset.jpg
run "date > mnt/today.txt"
run burnfs umount mnt

say "Two sessions. The second is small: it holds a new tree and what is new."
run burnfs sessions disc.img

say "The first session is still there, as it was."
run burnfs mount -o session=1 disc.img mnt
run ls -l mnt mnt/photos
run cat mnt/photos/notes.txt
run burnfs umount mnt

say "Other programs read the disc, too. xorriso compares each file of the newest" \
	"session with the checksum that was recorded with it."
last=$(burnfs msinfo disc.img | cut -d, -f1)
run xorriso -md5 on -load sbsector "$last" -indev disc.img -find / -exec lsdl -- -check_md5_r SORRY / --

say "All of it once more, by burnfs itself."
run burnfs verify disc.img

cat <<END

# The disc is $dir/disc.img. Go on with it:
#   cd $dir && PATH=$(dirname "$burnfs"):\$PATH
#   burnfs mount disc.img mnt          copy, change, delete, whatever you like
#   burnfs sync mnt                    burn a session without unmounting
#   burnfs umount mnt
#   burnfs mount --create new.iso mnt  the same with a plain ISO file
# or remove it: rm -r $dir
END
