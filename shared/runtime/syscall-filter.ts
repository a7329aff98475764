/** A seccomp filter (linux/filter.h) under which system calls fail that no step needs and an attacker would. */

/** By architecture: its AUDIT_ARCH, and the numbers of the calls. */
const architectures: Readonly<Record<string, { readonly audit: number; readonly denied: readonly number[] }>> = {
  x64: {
    audit: 0xc000003e,
    // ptrace, pivot_root, acct, mount, umount2, swapon, swapoff, reboot, init_module, delete_module, kexec_load, add_key,
    // request_key, keyctl, unshare, perf_event_open, setns, process_vm_readv, process_vm_writev, finit_module, bpf,
    // userfaultfd, io_uring_setup, open_tree, move_mount, fsopen, fsmount, mount_setattr; and what would outlive the
    // process and be found by the next: shmget, semget, msgget, mq_open
    denied: [
      29, 64, 68, 240, 101, 155, 163, 165, 166, 167, 168, 169, 175, 176, 246, 248, 249, 250, 272, 298, 308, 310, 311,
      313, 321, 323, 425, 428, 429, 430, 432, 442,
    ],
  },
  arm64: {
    audit: 0xc00000b7,
    // The same, as far as they are there.
    denied: [
      194, 190, 186, 180, 117, 41, 89, 40, 39, 224, 225, 142, 105, 106, 104, 217, 218, 219, 97, 241, 268, 270, 271, 273,
      280, 282, 425, 428, 429, 430, 432, 442,
    ],
  },
};

const [load, jumpIfEqual, jumpIfAtLeast, leave] = [0x20, 0x15, 0x35, 0x06];
const [allow, notPermitted, killProcess] = [0x7fff0000, 0x00050001, 0x80000000];
const [numberAt, architectureAt] = [0, 4];
/** x64's second set of numbers for the same calls. */
const x32Bit = 0x40000000;

/** @returns struct sock_filter after struct sock_filter, undefined: not known for this architecture */
export function syscallFilter(arch: string): Buffer | undefined {
  const known = architectures[arch];
  if (known === undefined) return undefined;
  const { audit, denied } = known;
  const lines = [
    line(load, architectureAt),
    line(jumpIfEqual, audit, 1, 0),
    line(leave, killProcess),
    line(load, numberAt),
    line(jumpIfAtLeast, x32Bit, denied.length + 1, 0),
    ...denied.map((number, index) => line(jumpIfEqual, number, denied.length - index, 0)),
    line(leave, allow),
    line(leave, notPermitted),
  ];
  return Buffer.concat(lines);
}

function line(code: number, value: number, ifTrue = 0, ifFalse = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}
