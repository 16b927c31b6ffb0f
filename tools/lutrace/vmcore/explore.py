# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What a dead kernel knew of a live update, as one JSON object.

lutrace runs this with drgn, which knows the kernel's structures from vmlinux. It
never sees the dump itself: lutrace reads physical memory for it, over the socket
that it inherits, and says where the kernel is. Everything read is untrusted:
each part that cannot be believed ends in "unread", and the others go on.

Argument: a JSON object with socket, vmlinux, release, build_id, swapper,
phys_base and five_levels.
"""

import itertools
import json
import os
import socket
import struct
import sys
import zlib

import drgn
from drgn import Object, Program, container_of
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.mm import virt_to_phys
from drgn.helpers.linux.printk import get_dmesg

IMAGE_MAP, IMAGE_SPACE = 0xFFFFFFFF80000000, 1 << 30
PAGE = 4096
MOST_READ = 1 << 20  # bytes that lutrace gives at once
MOST = 4096  # members of a list, of which a damaged one has no end
MOST_BLOCKS = 10000
LOG_LINES = 400

ECAP_SMTS = 1 << 43  # VT-d 11.4.3
RTADDR_SCALABLE = 1 << 10  # VT-d 11.4.5

IOMMU_RECORDS, PCI_RECORDS = "iommu-liveupdate-v1", "pci-liveupdate-v1"
VFIO_FILE, IOMMUFD_FILE = "vfio-pci-v1", "iommufd-v1"
USED = 1


class Damaged(Exception):
    """Something in the dump is not what it has to be."""


class Memory:
    """Physical memory, through lutrace."""

    def __init__(self, fd):
        self.socket = socket.socket(fileno=fd)

    def _receive(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def read(self, address, size):
        data = b""
        while len(data) < size:
            part = min(size - len(data), MOST_READ)
            self.socket.sendall(struct.pack("=QQ", address + len(data), part))
            if self._receive(1) != b"\1":
                raise drgn.FaultError("not in the dump", address)
            data += self._receive(part)
        return data


def make_program(where, memory):
    """A drgn program of a dump that consists of a VMCOREINFO note only."""
    info = (
        f"OSRELEASE={where['release']}\n"
        f"BUILD-ID={where['build_id']}\n"
        f"PAGESIZE={PAGE}\n"
        f"SYMBOL(swapper_pg_dir)={where['swapper']:x}\n"
        f"KERNELOFFSET={where['slide']:x}\n"
        f"NUMBER(phys_base)={where['phys_base']}\n"
        f"NUMBER(pgtable_l5_enabled)={where['five_levels']:d}\n"
    ).encode()
    name = b"VMCOREINFO\0\0"
    note = struct.pack("=III", 11, len(info), 0) + name + info.ljust(-(-len(info) // 4) * 4, b"\0")
    ident = b"\x7fELF\2\1\1".ljust(16, b"\0")
    header = struct.pack("=16sHHIQQQIHHHHHH", ident, 4, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("=IIQQQQQQ", 4, 0, 120, 0, 0, len(note), len(note), 4)
    core = os.memfd_create("vmcoreinfo")
    os.write(core, header + segment + note)

    program = Program()
    program.set_core_dump(f"/proc/self/fd/{core}")
    base = where["phys_base"]
    program.add_memory_segment(
        0, (1 << 64) - 1, lambda address, size, offset, physical: memory.read(address, size), True
    )
    # The image, for whatever is read before the page tables can be walked.
    program.add_memory_segment(
        IMAGE_MAP,
        IMAGE_SPACE,
        lambda address, size, offset, physical: memory.read(
            (address - IMAGE_MAP + base) % (1 << 64), size
        ),
        False,
    )
    program.load_debug_info([where["vmlinux"]])
    return program


def text(data):
    """Text from the dump, without anything that a terminal would obey."""
    if isinstance(data, bytes):
        data = data.split(b"\0")[0].decode("ascii", "replace")
    return "".join(c if " " <= c <= "~" else "?" for c in data)


def reason(error):
    """Why something cannot be read.

    What a reader of memory raises comes out of drgn as an Exception that has the
    type in its text.
    """
    return text(str(error).removeprefix("_drgn.FaultError: "))


def crc(data):
    return zlib.crc32(data) ^ 0xFFFFFFFF


def bdf(segment, number):
    return f"{segment:04x}:{number >> 8:02x}:{number >> 3 & 31:02x}.{number & 7}"


class Kernel:
    def __init__(self, program, phys_base):
        self.prog = program
        self.phys_base = phys_base

    def physical(self, pointer):
        """Physical address of something in the image or in the direct map."""
        address = int(pointer)
        if IMAGE_MAP <= address < IMAGE_MAP + IMAGE_SPACE:
            return (address - IMAGE_MAP + self.phys_base) % (1 << 64)
        return int(virt_to_phys(self.prog, address))

    def members(self, head, type_name, member):
        entries = list_for_each_entry(type_name, head.address_of_(), member)
        found = list(itertools.islice(entries, MOST + 1))
        if len(found) > MOST:
            raise Damaged(f"a list of {type_name} does not end")
        return found

    def at(self, type_name, address):
        """The structure at a physical address, and its bytes."""
        kind = self.prog.type(type_name)
        data = self.prog.read(address, drgn.sizeof(kind), True)
        return Object.from_bytes_(self.prog, kind, data), data

    def slots(self, head, type_name):
        """Entries of a chain of blocks (struct kho_block_header_ser)."""
        size = drgn.sizeof(self.prog.type(type_name))
        header = drgn.sizeof(self.prog.type("struct kho_block_header_ser"))
        blocks = 0
        while head:
            block, _ = self.at("struct kho_block_header_ser", head)
            count = int(block.count)
            if count > (PAGE - header) // size:
                raise Damaged(f"block at {head:#x} has {count} entries of {type_name}")
            for i in range(count):
                yield self.at(type_name, head + header + i * size)
            blocks += 1
            if blocks > MOST_BLOCKS:
                raise Damaged(f"blocks of {type_name} do not end")
            head = int(block.next)

    # What is in each member of the result

    def log(self):
        lines = get_dmesg(self.prog).decode("utf-8", "replace").splitlines()
        return [text(line) for line in lines[-LOG_LINES:]]

    def ledgers(self):
        found = {}
        for name, variable in (("current", "this_ledger"), ("previous", "previous_ledger")):
            pointer = self.prog[variable]
            found[name] = f"{self.physical(pointer):#x}" if pointer else None
        return found

    def file_object(self, compatible, data):
        """What a preserved file is, from the record that its handler made."""
        kinds = {
            VFIO_FILE: ("struct vfio_pci_ser", 0x50465649),
            IOMMUFD_FILE: ("struct iommufd_ser", 0x46554D49),
        }
        if compatible not in kinds or not data:
            return None
        type_name, magic = kinds[compatible]
        ser, _ = self.at(type_name, data)
        size = int(ser.size)
        if int(ser.magic) != magic or not drgn.sizeof(ser) <= size <= PAGE * 16:
            raise Damaged(f"the record of a {compatible} at {data:#x} has a wrong head")
        if int(ser.crc) != crc(self.prog.read(data + 8, size - 8, True)):
            raise Damaged(f"the record of a {compatible} at {data:#x} has a wrong checksum")
        if compatible == VFIO_FILE:
            return bdf(int(ser.segment), int(ser.bdf))
        return f"{int(ser.num_hwpts)} page tables"

    def file(self, compatible, token, data):
        row = {"token": token, "type": compatible, "object": None}
        try:
            row["object"] = self.file_object(compatible, data)
        except Exception as error:
            row["object"] = f"unreadable: {reason(error)}"
        return row

    def live_session(self, session, incoming):
        state = "preserved"
        if incoming:
            state = "retrieved" if session.retrieved else "waiting"
        files = []
        for file in self.members(session.file_set.files_list, "struct luo_file", "list"):
            row = self.file(
                text(file.fh.compatible.string_()), int(file.token), int(file.serialized_data)
            )
            status = int(file.retrieve_status)
            row["state"] = state if not incoming else "retrieved" if status > 0 else "waiting"
            row["ret"] = min(status, 0)
            files.append(row)
        if session.finished:
            state = "finished"
        return {"name": text(session.name.string_()), "state": state, "files": files}

    def serialized_session(self, ser):
        files = []
        for file, _ in self.slots(int(ser.file_set_ser.files), "struct luo_file_ser"):
            row = self.file(
                text(bytes(file.compatible.string_())), int(file.token), int(file.data)
            )
            row["state"], row["ret"] = "waiting", 0
            files.append(row)
        return {"name": text(ser.name.string_()), "state": "waiting", "files": files}

    def sessions(self):
        rows = []
        for side in ("incoming", "outgoing"):
            header = getattr(self.prog["luo_session_global"], side)
            live = self.members(header.list, "struct luo_session", "list")
            found = [self.live_session(session, side == "incoming") for session in live]
            if side == "incoming" and not live and header.active:
                # Nobody has opened /dev/liveupdate since.
                head = int(header.block_set.head_pa)
                found = [
                    self.serialized_session(ser)
                    for ser, _ in self.slots(head, "struct luo_session_ser")
                ]
            rows += [dict(row, side=side) for row in found]
        return rows

    def shared(self):
        """Name and address of the data that files share (FLB), by side."""
        flbs = self.prog["luo_flb_global"]
        freed = set()
        for private in self.members(flbs.list, "struct luo_flb_private", "list"):
            flb = container_of(private, "struct liveupdate_flb", "private")
            name = text(flb.compatible.string_())
            if int(private.outgoing.count.refs.counter) > 0:
                yield "outgoing", name, int(private.outgoing.data)
            if private.incoming.finished:
                freed.add(name)
        head = flbs.incoming.header_ser
        if not head:
            return
        first, size = self.physical(head), drgn.sizeof(self.prog.type("struct luo_flb_ser"))
        count = int(head.count)
        if count > (PAGE - drgn.sizeof(head[0])) // size:
            raise Damaged(f"{count} kinds of shared data")
        for i in range(count):
            ser, _ = self.at("struct luo_flb_ser", first + drgn.sizeof(head[0]) + i * size)
            name = text(bytes(ser.name.string_()))
            if name not in freed:
                yield "incoming", name, int(ser.data)

    def header(self, type_name, address, magic, sizes):
        ser, data = self.at(type_name, address)
        if int(ser.magic) != magic or int(ser.size) != len(data):
            raise Damaged(f"{type_name} at {address:#x} has a wrong head")
        if int(ser.crc) != crc(data[8:]):
            raise Damaged(f"{type_name} at {address:#x} has a wrong checksum")
        for member, record in sizes.items():
            if int(getattr(ser, member)) != drgn.sizeof(self.prog.type(record)):
                raise Damaged(f"{record} has another size in this kernel")
        return ser

    def iommu_records(self, side, address, result):
        records = {
            "unit_size": "struct iommu_unit_ser",
            "domain_size": "struct iommu_domain_ser",
            "device_size": "struct iommu_device_ser",
        }
        head = self.header("struct iommu_liveupdate_ser", address, 0x4C554D4F, records)

        def used(first, type_name):
            for ser, data in self.slots(int(first), type_name):
                if int(ser.prefix.state) == USED:
                    damaged = int(ser.prefix.crc) != crc(data[4:])
                    yield ser, {"side": side, "type": int(ser.prefix.type), "damaged": damaged}

        for ser, row in used(head.units, "struct iommu_unit_ser"):
            row.update(unit=f"{int(ser.reg_phys):#x}", root=f"{int(ser.root):#x}")
            result["units"].append(dict(row, segment=int(ser.segment)))
        for ser, row in used(head.domains, "struct iommu_domain_ser"):
            row.update(domain=f"{int(ser.top):#x}", token=int(ser.token), tables=int(ser.tables))
            result["domains"].append(row)
        for ser, row in used(head.devices, "struct iommu_device_ser"):
            row.update(device=bdf(int(ser.segment), int(ser.bdf)), domain_id=int(ser.did))
            row.update(unit=f"{int(ser.unit):#x}", domain=f"{int(ser.domain):#x}")
            result["devices"].append(dict(row, token=int(ser.token)))

    def pci_records(self, side, address, result):
        sizes = {"function_size": "struct pci_function_ser"}
        head = self.header("struct pci_liveupdate_ser", address, 0x5543504C, sizes)
        for ser, data in self.slots(int(head.functions), sizes["function_size"]):
            if int(ser.state) == USED:
                row = {"side": side, "function": bdf(int(ser.segment), int(ser.bdf))}
                row["driver"] = text(bytes(ser.driver.string_()))
                row["bridge"] = int(ser.header) == 1
                row["damaged"] = int(ser.crc) != crc(data[4:])
                result["functions"].append(row)

    def records(self, result):
        readers = {IOMMU_RECORDS: self.iommu_records, PCI_RECORDS: self.pci_records}
        for side, name, address in self.shared():
            if name in readers:
                readers[name](side, address, result)
            else:
                raise Damaged(f"records of the kind '{name}' are not known here")

    def hardware(self):
        """The VT-d units that this kernel drives, as far as it had come."""
        rows = []
        scalable = bool(self.prog["intel_iommu_sm"])
        units = self.prog["dmar_drhd_units"]
        for drhd in self.members(units, "struct dmar_drhd_unit", "list"):
            iommu = drhd.iommu
            if not iommu:
                continue
            row = {"unit": f"{int(iommu.reg_phys):#x}", "segment": int(iommu.segment)}
            row["root"] = None
            if iommu.root_entry:
                root = self.physical(iommu.root_entry)
                if scalable and int(iommu.ecap) & ECAP_SMTS:
                    root |= RTADDR_SCALABLE
                row["root"] = f"{root:#x}"
            rows.append(row)
        return rows


def main():
    where = json.loads(sys.argv[1])
    memory = Memory(where["socket"])
    kernel = Kernel(make_program(where, memory), where["phys_base"])
    result = {"units": [], "domains": [], "devices": [], "functions": [], "unread": []}

    def part(name, function, *arguments):
        try:
            value = function(*arguments)
            if value is not None:
                result[name] = value
        except Exception as error:
            result["unread"].append(f"{name}: {reason(error)}")

    part("log", kernel.log)
    part("ledgers", kernel.ledgers)
    part("sessions", kernel.sessions)
    part("hardware", kernel.hardware)
    part("records", kernel.records, result)
    result["drgn"] = drgn.__version__
    json.dump(result, sys.stdout)


main()
