#!/usr/bin/env python3
"""Draws a flame graph of `perf script` output, and says how much of the time is the library's own.

  perf record -e cpu-clock -F 4000 -g -p PID; perf script | benchmarks/flamegraph.py TITLE > out.svg

The process needs DOTNET_PerfMapEnabled=1 and DOTNET_EnableWriteXorExecute=0, or its frames have no names. OpenSSL is built without frame pointers:
what runs in it cannot be followed back to its caller and stands on its own, under the name of the library.
"""
import html
import re
import sys

WIDTH, ROW, LEAST = 1200, 16, 0.0015
NATIVE = {'libcrypto': 'OpenSSL libcrypto', 'libssl': 'OpenSSL libssl', 'libc.so': 'libc', 'libcoreclr': 'runtime', 'libclrjit': 'JIT compiler',
          'kernel': 'kernel', 'libSystem.Native': 'libSystem.Native', 'Cryptography.Native': 'crypto shim'}


def stacks(lines):
    frames = []
    for line in lines:
        if not line.strip():
            if frames:
                yield frames[::-1]
            frames = []
        elif line[0] in ' \t' and (match := re.match(r'\s+[0-9a-f]+ (.*) \((.*)\)$', line.rstrip())):
            frames.append(name_of(match[1], match[2]))
    if frames:
        yield frames[::-1]


def name_of(symbol, where):
    for part, name in NATIVE.items():
        if part in where:
            return name
    symbol = re.sub(r'\+0x[0-9a-f]+$', '', symbol)
    managed = re.match(r'.*?\[([\w.]+)\] (.*?)\(', symbol)
    if not managed:
        return '(no name)' if symbol == '[unknown]' else symbol[:60]
    method = re.sub(r'/\*.*?\*/', '', managed[2])
    method = re.sub(r'`\d+|\[[^\]]*\]', '', method).replace('System.Runtime.CompilerServices.', '')
    method = re.sub(r'\+<(\w+)>d__\d+::MoveNext', r'.\1', method).replace('::', '.')
    return f'{managed[1]}!{".".join(method.split(".")[-2:])}'


def clean(frames):
    """Without the machinery between two awaits, and without what repeats."""
    kept = []
    for frame in frames:
        if re.search(r'AsyncTaskMethodBuilder|AsyncStateMachineBox|StateMachineBox|AwaitTaskContinuation|ExecutionContext|RunContinuations|AsyncMethodBuilderCore|SetResult|SetExisting|^\(no name\)|StartHelper|start_thread', frame):
            continue
        if not kept or kept[-1] != frame:
            kept.append(frame)
    managed = next((at for at, frame in enumerate(kept) if '!' in frame), None)
    return kept[managed:] if managed is not None else kept[-1:] or ['(no name)']


def is_ours(frames):
    """Whether the library is nearer to the leaf than TLS, the chain that TLS builds, and the sockets are."""
    for frame in reversed(frames):
        if frame.startswith('MutualAuth.Core!'):
            return True
        if re.match(r'System\.Net\.(Security|Sockets)!', frame):
            return False
    return False


def draw(node, left, depth, scale, out):
    width = node['count'] * scale
    if width < LEAST * WIDTH:
        return depth
    colour = '#4c78a8' if node['name'].startswith('MutualAuth') else '#f58518' if 'OpenSSL' in node['name'] else '#b9b9b9' if node['name'] in ('kernel', 'libc') else '#e8c48a'
    share = 100 * width / WIDTH
    text = html.escape(node['name'])
    out.append((left, depth, width, colour, f'{text} {share:.1f} %', text if len(text) * 6.6 < width else ''))
    deepest, at = depth, left
    for child in sorted(node['below'].values(), key=lambda each: -each['count']):
        deepest = max(deepest, draw(child, at, depth + 1, scale, out))
        at += child['count'] * scale
    return deepest


def main():
    root = {'name': 'all', 'count': 0, 'below': {}}
    ours = 0
    for stack in stacks(sys.stdin):
        frames = clean(stack)
        root['count'] += 1
        ours += is_ours(frames)
        node = root
        for frame in frames:
            node = node['below'].setdefault(frame, {'name': frame, 'count': 0, 'below': {}})
            node['count'] += 1
    out = []
    deepest = draw(root, 0, 0, WIDTH / root['count'], out)
    height = (deepest + 3) * ROW
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="11">')
    print(f'<rect width="{WIDTH}" height="{height}" fill="white"/><text x="4" y="13">{html.escape(sys.argv[1] if len(sys.argv) > 1 else "")}</text>')
    for left, depth, width, colour, title, text in out:
        y = height - (depth + 1) * ROW
        print(f'<g><title>{title}</title><rect x="{left:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}" fill="{colour}"/>'
              + (f'<text x="{left + 2:.1f}" y="{y + 11}">{text}</text>' if text else '') + '</g>')
    print('</svg>')
    print(f'{root["count"]} samples, the library\'s own {100 * ours / root["count"]:.1f} %', file=sys.stderr)


main()
