// What `sluice cp` runs in the container: POSIX sh, with what both GNU and busybox have. Paths come
// as arguments, never as text of the script, and begin with "/" or "./". What a script has to say
// of itself it says on stderr, in lines that ContainerScript::kWord begins: "started" first, so
// that what is missing is known to be no sh; "no-PROGRAM" for another.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::cli {

/// What a copy of a file is made of: where to go on after a cut is a multiple of it.
inline constexpr std::uint64_t kCopyBlockBytes = 1ULL << 20;

/// Comes before each of the scripts below. `send COMMAND` passes its output on and says its sum.
inline constexpr std::string_view kCommonScript = R"sh(
say() { printf 'sluice-cp: %s\n' "$*" >&2; }
stop() { say "$@"; exit 1; }
can() { command -v "$1" >/dev/null 2>&1; }
need() { for program; do can "$program" || stop "no-$program"; done; }
send() {
  if can sha256sum && can tee; then
    exec 5>&1
    { "$@" || say incomplete; } | { tee /proc/self/fd/3 3>&1 >&5; } | sha256sum |
      { read -r sum rest; say sum "$sum"; }
  else
    say no-sum
    "$@" || say incomplete
  fi
}
say started
)sh";

/// PATH, the identity of a partial file that is here, and how many blocks of it. Writes "file
/// IDENTITY MODE BLOCK" and the file from that block on, "stream IDENTITY MODE 0" and all that can
/// be read of a file whose size means nothing, or "directory" and a tar archive. The identity is
/// SIZE.SECONDS. A file that grows meanwhile is as it was, if its beginning is.
inline constexpr std::string_view kDownloadScript = R"sh(
path=$1 known=$2 block=$3
[ -e "$path" ] || stop no-path
if [ -d "$path" ]; then
  need tar
  cd "$path" || exit 1
  case $(pwd -P)/ in /proc/* | /sys/*) stop no-sizes ;; esac
  export TAR_OPTIONS="--format=gnu --blocking-factor=128"
  echo directory
  send tar -cf - .
  exit 0
fi
[ -f "$path" ] || stop no-file
[ -r "$path" ] || stop no-access
need stat
status=$(stat -L -c '%s.%Y %a' "$path") || exit 1
identity=${status% *} mode=${status#* }
size=${identity%.*}
folder=$(cd "${path%/*}/" && pwd -P)
case $folder/ in /proc/* | /sys/*) size=0 ;; esac
if [ "$size" = 0 ]; then
  need cat
  echo "stream 0.${identity#*.} $mode 0"
  send cat "$path"
  exit 0
fi
need dd
state() { stat -L -c '%s %y' "$path"; }
sum() { sum=$(head -c "$size" "$path" | sha256sum) && say sum "${sum%% *}"; }
before=$(state)
[ "$identity" = "$known" ] && [ $((block * 1048576)) -le "$size" ] || block=0
say size $((size - block * 1048576))
echo "file $identity $mode $block"
if can sha256sum && can head; then sums=yes; else sums= && say no-sum; fi
[ -z "$sums" ] || sum &
count=$((size / 1048576 + 1 - block))
dd if="$path" bs=1048576 skip="$block" count="$count" 2>/dev/null || say incomplete
wait
after=$(state)
if [ "$after" != "$before" ]; then
  if [ "$sums" ] && [ "${after%% *}" -gt "$size" ]; then say grown && sum; else say changed; fi
fi
)sh";

/// Comes before the next two: where to a file goes, and its partial file.
inline constexpr std::string_view kPlaceScript = R"sh(
if [ -d "$1" ]; then target=${1%/}/$2 part=$3; else target=$1 part=$4; fi
links=0
while [ -L "$target" ]; do
  need readlink
  links=$((links + 1))
  [ "$links" -le 40 ] || stop no-link
  link=$(readlink "$target" && echo .) || stop no-link
  link=${link%??}
  case $link in /*) target=$link ;; *) target=${target%/*}/$link ;; esac
  case $target in /proc/*) stop no-file ;; esac
done
part=${target%/*}/$part
)sh";

/// TARGET, NAME, the names of partial files for NAME in TARGET and for TARGET, and the size. Writes
/// the size of what is there of it, and takes what follows.
inline constexpr std::string_view kUploadFileScript = R"sh(
umask 077
need cat wc mv
[ -d "$target" ] && stop is-directory
[ -d "${target%/*}/" ] || { [ "$links" = 0 ] && stop no-directory || stop no-link; }
[ ! -e "$target" ] || [ -f "$target" ] || stop no-file
[ "${target##*/}" ] || stop no-directory
size=0
[ ! -f "$part" ] || size=$(wc -c <"$part") || exit 1
say size $(($5 - size))
echo "at $((size))"
cat >>"$part"
)sh";

/// The same five, the checksum, the mode and the time in seconds. Puts the partial file
/// in its place if it is whole.
inline constexpr std::string_view kFinishFileScript = R"sh(
size=$(wc -c <"$part") || exit 1
if can sha256sum; then
  sum=$(sha256sum <"$part") || exit 1
  sum=${sum%% *}
else
  say no-sum
  sum=$6
fi
if [ "$((size)) $sum" != "$5 $6" ]; then rm -f "$part"; say differs; exit 1; fi
chmod "$7" "$part" && touch -m -d "@$8" "$part" || say no-attributes
mv -f "$part" "$target"
)sh";

/// TARGET and NAME (may be empty). Takes a tar archive.
inline constexpr std::string_view kUploadDirectoryScript = R"sh(
need tar
target=$1
[ -z "$2" ] || [ ! -d "$1" ] || target=${1%/}/$2
[ -d "$target" ] || mkdir "$target" || exit 1
cd "$target" || exit 1
unpack() { tar -xpof -; status=$?; cat >/dev/null; return $status; }
if can sha256sum && can tee; then
  { tee /proc/self/fd/3 | sha256sum | { read -r sum rest; say sum "$sum"; }; } 3>&1 | unpack
else
  say no-sum
  unpack
fi
)sh";

}  // namespace sluice::cli
