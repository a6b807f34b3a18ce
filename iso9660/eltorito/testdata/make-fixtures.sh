#!/bin/sh
# Makes the fixtures: of discs that other programs made bootable, the block of the
# boot record followed by the blocks of the boot catalogue, gzipped. Needs Debian's
# genisoimage, xorriso, isolinux, grub-pc-bin, grub-efi-amd64-bin, mtools.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p root/boot
head -c 40000 /dev/zero >root/boot/loader.bin
head -c 1474560 /dev/zero >root/boot/floppy.img
head -c 32768 /dev/zero >root/boot/efi.img

keep() { # image blocks name
	catalog=$(isoinfo -d -i "$1" | sed -n 's/.*boot catalog is in sector //p')
	{
		dd if="$1" bs=2048 skip=17 count=1
		dd if="$1" bs=2048 skip="$catalog" count="$2"
	} 2>/dev/null | gzip -9n >"$here/$3.gz"
}

genisoimage -quiet -R -b boot/loader.bin -no-emul-boot -boot-load-size 4 -boot-info-table -c boot.cat -o a.iso root
keep a.iso 1 genisoimage
genisoimage -quiet -R -b boot/floppy.img -c boot.cat -o b.iso root
keep b.iso 1 genisoimage-floppy
genisoimage -quiet -R -b boot/loader.bin -no-emul-boot -c boot.cat \
	-eltorito-alt-boot -b boot/efi.img -no-emul-boot -o c.iso root
keep c.iso 1 genisoimage-two
cp -r root many
args=
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31; do
	head -c 2048 /dev/zero >many/boot/$i.img
	args="$args -boot_image any next -boot_image any efi_path=/boot/$i.img"
done
xorriso -outdev e.iso -map many / -boot_image any bin_path=/boot/loader.bin -boot_image any platform_id=0x00 \
	-boot_image any load_size=full $args -boot_image any cat_path=/boot.cat 2>/dev/null
keep e.iso 1 xorriso-many
cp /usr/lib/ISOLINUX/isolinux.bin root/boot/isolinux.bin
xorriso -as mkisofs -quiet -R -b boot/isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table \
	-eltorito-alt-boot -e boot/efi.img -no-emul-boot -isohybrid-mbr /usr/lib/ISOLINUX/isohdpfx.bin \
	-isohybrid-gpt-basdat -o d.iso root 2>/dev/null
keep d.iso 1 xorriso-isolinux
grub-mkrescue -o f.iso root >/dev/null 2>&1
keep f.iso 1 grub-mkrescue
