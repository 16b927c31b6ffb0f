// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the page can do beyond what is in it: sort and filter tables, and open
// everything for the printer. Nothing is missing where this does not run.
"use strict";

// A number where the cell has one, else its text; an empty cell comes last.
function cellValue(row, column) {
	const cell = row.cells[column];

	if (cell.dataset.value !== undefined)
		return Number(cell.dataset.value);
	return cell.classList.contains("amount") ? -Infinity : cell.textContent;
}

function compare(a, b) {
	return typeof a === "number" ? a - b : a.localeCompare(b);
}

// A column of numbers begins with the largest, one of text with A.
function sortTable(table, header, column) {
	const body = table.tBodies[0];
	const before = header.getAttribute("aria-sort");
	const amount = header.classList.contains("amount");
	const down = before ? before === "ascending" : amount;
	const rows = [...body.rows].map(row => [cellValue(row, column), row]);

	rows.sort((a, b) => down ? compare(b[0], a[0]) : compare(a[0], b[0]));
	body.append(...rows.map(([, row]) => row));
	for (const other of header.parentNode.cells)
		other.removeAttribute("aria-sort");
	header.setAttribute("aria-sort", down ? "descending" : "ascending");
}

function addSorting(table) {
	for (const [column, header] of [...table.tHead.rows[0].cells].entries()) {
		const button = document.createElement("button");

		button.type = "button";
		button.append(...header.childNodes);
		button.addEventListener("click", () => sortTable(table, header, column));
		header.append(button);
	}
}

function addFilter(table) {
	const rows = [...table.tBodies[0].rows];
	const box = document.createElement("p");
	const label = document.createElement("label");
	const input = document.createElement("input");
	const result = document.createElement("span");

	box.className = "filter";
	label.append("Only rows with ", input);
	input.type = "search";
	result.setAttribute("role", "status");
	input.addEventListener("input", () => {
		const wanted = input.value.trim().toLowerCase();
		let shown = 0;

		for (const row of rows) {
			row.hidden = !row.textContent.toLowerCase().includes(wanted);
			shown += !row.hidden;
		}
		result.textContent = wanted ? `${shown} of ${rows.length} rows` : "";
	});
	box.append(label, result);
	table.parentNode.before(box);
}

for (const table of document.querySelectorAll("table.sort")) {
	const rows = table.tBodies[0].rows.length;

	if (rows > 2)
		addSorting(table);
	if (rows > 12)
		addFilter(table);
}

const opened = [];

addEventListener("beforeprint", () => {
	for (const details of document.querySelectorAll("details:not([open])")) {
		details.open = true;
		opened.push(details);
	}
});
addEventListener("afterprint", () => {
	for (const details of opened.splice(0))
		details.open = false;
});
